import { assign, resolvePath, takesParts } from "./assign.ts";
import { keyOf, keys } from "./keys/index.ts";
import { nearest } from "./nearest.ts";
import { type ConfigNode, isNull, type MapNode, type Origin, type Remark } from "./node.ts";
import { parseYaml } from "./yaml.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

export interface Overlaid {
  readonly complaints: readonly Remark[];
  readonly warnings: readonly Remark[];
}

/** What Kubernetes tells every container of a service called `registry`, or `registry-auth`. */
const injected =
  /_(?:SERVICE_HOST|SERVICE_PORT(?:_[A-Z0-9_]+)?|PORT(?:_\d+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?)?)$/;
/** Read elsewhere: where the file is. */
const elsewhere: readonly string[] = ["REGISTRY_CONFIGURATION_PATH"];

/** Our own variables that stand for a flag. */
const flags: Readonly<Record<string, string>> = {
  DRAY_SERVE_DATA: "storage.filesystem.rootdirectory",
  DRAY_SERVE_READ_ONLY: "storage.maintenance.readonly.enabled",
  DRAY_SERVE_LOG_LEVEL: "log.level",
};

/** The variable that stands for a key, and wins over the file. */
export const variableOf = (path: string): string => {
  const words = path.split(".").map((word) => word.toUpperCase());
  return words[0] === "DRAY" ? ["DRAY_SERVE", ...words.slice(1)].join("_") : ["REGISTRY", ...words].join("_");
};

/**
 * Lets variables win over what the file says: `REGISTRY_HTTP_ADDR` as in distribution, values in YAML, elements of lists by their
 * number; `DRAY_SERVE_GC_GRACE` for our own keys. They count in the order of their names, so that one for a whole comes before those
 * for its parts. Unknown ones warn alone, since Kubernetes sets such; so do empty ones, which change nothing.
 */
export const overlayVariables = (root: MapNode, env: Environment): Overlaid => {
  const complaints: Remark[] = [];
  const warnings: Remark[] = [];
  const strangers: string[] = [];
  const names = Object.keys(env).filter((name) => /^(?:REGISTRY|DRAY_SERVE)_/.test(name));
  for (const name of names.toSorted(byKind)) {
    const text = env[name];
    if (text === undefined || elsewhere.includes(name)) continue;
    const origin: Origin = { kind: "variable", name };
    const path = pathOf(name);
    if (path === undefined || (injected.test(name) && keyOf.get(path.join(".")) === undefined)) {
      if (injected.test(name)) strangers.push(name);
      else warnings.push({ key: "", origin, message: `no key is called so, and it changes nothing${meant(name)}` });
      continue;
    }
    const key = path.join(".");
    if (text.trim() === "") {
      warnings.push({ key, origin, message: "it is empty and changes nothing; unset it, or give it a value" });
      continue;
    }
    if (name === "DRAY_SERVE_LISTEN") {
      setListen(root, text, origin);
      continue;
    }
    const { node, faults } = valueOf(text, key, origin);
    // A secret that nobody needs may look like anything.
    if ((keyOf.get(key)?.status ?? "supported") === "supported") complaints.push(...faults);
    const wrong = node === undefined ? undefined : assign(root, path, node);
    if (wrong !== undefined) complaints.push({ key, origin, message: wrong });
  }
  if (strangers.length > 0)
    warnings.push({
      key: "",
      origin: { kind: "default" },
      message: `variables that Kubernetes sets for services are no settings: ${strangers.join(", ")}; enableServiceLinks: false keeps them away`,
    });
  return { complaints, warnings };
};

/** Distribution's first, ours after them, each in the order of names. */
const byKind = (a: string, b: string): number => (a[0] === b[0] ? (a < b ? -1 : 1) : a[0] === "R" ? -1 : 1);

const pathOf = (name: string): readonly string[] | undefined => {
  const flag = name === "DRAY_SERVE_LISTEN" ? "http.addr" : flags[name];
  if (flag !== undefined) return flag.split(".");
  const words = name.split("_");
  if (words[0] === "DRAY") return resolvePath(["DRAY", ...words.slice(2)]);
  // The format's version is the file's alone, and images set a variable of that name.
  return words[1] === "VERSION" ? undefined : resolvePath(words.slice(1));
};

const meant = (name: string): string => {
  const variables = keys.flatMap(({ path }) => (path === "version" ? [] : [variableOf(path)]));
  const close = nearest(name, [...variables, ...Object.keys(flags), "DRAY_SERVE_LISTEN"]);
  return close === undefined ? "" : `; did you mean ${close}?`;
};

/** A value in YAML. Of a key that takes one word, what is no YAML is taken as it stands: `[::1]:5000`. */
export const valueOf = (
  text: string,
  key: string,
  origin: Origin,
): { node?: ConfigNode; faults: readonly Remark[] } => {
  const { node, complaints } = parseYaml(text, origin);
  if (
    keyOf.has(key) &&
    !takesParts(key) &&
    (complaints.length > 0 || node === undefined || node.kind !== "scalar" || isNull(node))
  )
    return { node: { kind: "scalar", text, plain: false, origin }, faults: [] };
  return { ...(node === undefined ? {} : { node }), faults: complaints.map((each) => ({ ...each, key })) };
};

/** `unix:PATH` or an address, for `http.addr` and `http.net` together. */
export const setListen = (root: MapNode, text: string, origin: Origin): void => {
  const [net, addr] = text.startsWith("unix:") ? ["unix", text.slice("unix:".length)] : ["tcp", text];
  assign(root, ["http", "net"], { kind: "scalar", text: net, plain: false, origin });
  assign(root, ["http", "addr"], { kind: "scalar", text: addr, plain: false, origin });
};
