import { nearest } from "dray/internal/nearest";
import { assign, resolvePath, valueOf } from "./assign.ts";
import { assignFlag } from "./flags.ts";
import { isVersion, type KeyTable } from "./key-table.ts";
import type { MapNode, Origin, Remarks } from "./node.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

/** What Kubernetes tells every container of a service called after the prefix, or with a name that begins so. */
const injected =
  /_(?:SERVICE_HOST|SERVICE_PORT(?:_[A-Z0-9_]+)?|PORT(?:_\d+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?)?)$/;
/** The variable that stands for a key, and wins over the file. */
export const variableOf = ({ prefixes }: KeyTable, path: string): string => {
  const [part = "", ...rest] = path.split(".");
  const own = part === "" ? undefined : prefixes[part];
  const words = own === undefined ? [prefixes[""], part, ...rest] : [own, ...rest];
  return words
    .filter((word) => word !== undefined)
    .join("_")
    .toUpperCase();
};

/**
 * Lets variables win over what the file says: `REGISTRY_HTTP_ADDR`, values in YAML, elements of lists by their number. They count in
 * the order of the table's prefixes and then of their names, so that one for a whole comes before those for its parts. Unknown ones
 * warn alone, since Kubernetes sets such; so do empty ones, which change nothing.
 */
export const overlayVariables = (
  table: KeyTable,
  root: MapNode,
  env: Environment,
  { complaints, warnings }: Remarks,
): void => {
  const flags = new Map((table.flags ?? []).map((flag) => [flag.variable, flag]));
  const prefixes = Object.entries(table.prefixes).map(([part, prefix]) => ({ part, begins: `${prefix}_` }));
  const rankOf = (name: string): number => prefixes.findIndex(({ begins }) => name.startsWith(begins));
  const pathOf = (name: string): readonly string[] | undefined => {
    const flag = flags.get(name);
    if (flag !== undefined) return flag.key.split(".");
    const { part = "", begins = "" } = prefixes[rankOf(name)] ?? {};
    const words = name.slice(begins.length).split("_");
    if (part !== "") return resolvePath(table, [part.toUpperCase(), ...words]);
    // Images set a variable called after the version.
    return isVersion(table, words[0]?.toLowerCase() ?? "") ? undefined : resolvePath(table, words);
  };

  const strangers: string[] = [];
  const foreign = new Set(table.foreignVariables);
  const names = Object.keys(env).filter((name) => rankOf(name) >= 0 && !foreign.has(name));
  const inOrder = names.toSorted((a, b) => rankOf(a) - rankOf(b) || (a < b ? -1 : 1));
  for (const name of inOrder) {
    const text = env[name];
    if (text === undefined || name === table.fileVariable) continue;
    const origin: Origin = { kind: "variable", name };
    const path = pathOf(name);
    if (path === undefined || (injected.test(name) && table.at.get(path.join(".")) === undefined)) {
      if (injected.test(name)) strangers.push(name);
      else
        warnings.push({ key: "", origin, message: `no key is called so, and it changes nothing${meant(table, name)}` });
      continue;
    }
    const key = path.join(".");
    if (text.trim() === "") {
      warnings.push({ key, origin, message: "it is empty and changes nothing; unset it, or give it a value" });
      continue;
    }
    const flag = flags.get(name);
    if (flag?.spread !== undefined) {
      assignFlag(table, root, flag, text, origin);
      continue;
    }
    const { node, faults } = valueOf(table, text, key, origin);
    // A secret that nobody needs may look like anything.
    if ((table.at.get(key)?.status ?? "supported") === "supported") for (const fault of faults) complaints.push(fault);
    const wrong = node === undefined ? undefined : assign(table, root, path, node);
    if (wrong !== undefined) complaints.push({ key, origin, message: wrong });
  }
  for (const name of Object.keys(env).toSorted()) {
    const meantBy = rankOf(name) < 0 && !flags.has(name) ? withoutPrefix(table, name) : undefined;
    if (meantBy !== undefined)
      warnings.push({
        key: "",
        origin: { kind: "variable", name },
        message: `no key is called so, and it changes nothing; did you mean ${meantBy}?`,
      });
  }
  if (strangers.length > 0)
    warnings.push({
      key: "",
      origin: { kind: "default" },
      message: `variables that Kubernetes sets for services are no settings: ${strangers.join(", ")}; enableServiceLinks: false keeps them away`,
    });
};

/** The variable that was meant by one that begins with the name of a part itself: `DRAY_GC_GRACE`. */
const withoutPrefix = (table: KeyTable, name: string): string | undefined => {
  const words = name.split("_");
  const part = words[0]?.toLowerCase() ?? "";
  const key = part !== "" && part in table.prefixes ? resolvePath(table, words)?.join(".") : undefined;
  return key !== undefined && table.at.has(key) ? variableOf(table, key) : undefined;
};

const meant = (table: KeyTable, name: string): string => {
  const variables = table.keys.flatMap(({ path }) => (isVersion(table, path) ? [] : [variableOf(table, path)]));
  const flags = (table.flags ?? []).flatMap(({ variable }) => variable ?? []);
  // What all of them begin with makes no two names alike.
  const begins = Object.values(table.prefixes).find((prefix) => name.startsWith(`${prefix}_`)) ?? "";
  const alike = [...variables, ...flags]
    .filter((each) => each.startsWith(begins))
    .map((each) => each.slice(begins.length));
  const close = nearest(name.slice(begins.length), alike);
  return close === undefined ? "" : `; did you mean ${begins}${close}?`;
};
