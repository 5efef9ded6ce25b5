import { nearest } from "dray/internal/nearest";
import { assign, valueOf } from "./assign.ts";
import { type Flag, isVersion, type KeyTable, takesParts } from "./key-table.ts";
import type { ConfigNode, MapNode, Origin, Remarks } from "./node.ts";

/** What the command line says: flags of the table by their names, and `KEY=VALUE` for any key, its value in YAML. */
export interface GivenFlags {
  readonly named?: Readonly<Record<string, string | boolean | undefined>>;
  readonly set?: readonly string[];
}

/** Lets flags win over everything. A key that `--set` names must be one. */
export const overlayFlags = (
  table: KeyTable,
  root: MapNode,
  { named = {}, set = [] }: GivenFlags,
  { complaints }: Remarks,
): void => {
  for (const [index, text] of set.entries()) {
    const origin: Origin = { kind: "flag", name: set.length > 1 ? `--set (number ${index + 1})` : "--set" };
    const [, key = "", value = ""] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
    if (key === "" && isKey(table, text)) {
      complaints.push({ key: text, origin, message: `it is given no value; write --set ${text}=VALUE` });
      continue;
    }
    if (!isKey(table, key)) {
      const close = nearest(
        key,
        table.keys.map(({ path }) => path),
      );
      const { example } = table;
      const how = example === undefined ? "write KEY=VALUE" : `write KEY=VALUE, as ${example}`;
      const remedy = close === undefined ? how : `did you mean ${close}?`;
      complaints.push({ key: key || text, origin, message: `no key is called so; ${remedy}` });
      continue;
    }
    const { node, faults } = valueOf(table, value, key, origin);
    for (const fault of faults) complaints.push(fault);
    const nothing: ConfigNode = { kind: "scalar", text: "", plain: true, origin };
    const wrong = faults.length > 0 ? undefined : assign(table, root, key.split("."), node ?? nothing);
    if (wrong !== undefined) complaints.push({ key, origin, message: wrong });
  }
  for (const flag of table.flags ?? []) {
    const value = named[flag.name];
    if (value !== undefined) assignFlag(table, root, flag, String(value), { kind: "flag", name: flag.name });
  }
};

/** Puts what a flag says under its keys, as text. */
export const assignFlag = (table: KeyTable, root: MapNode, flag: Flag, text: string, origin: Origin): void => {
  for (const [key, part] of Object.entries(flag.spread?.(text) ?? { [flag.key]: text }))
    assign(table, root, key.split("."), { kind: "scalar", text: part, plain: false, origin });
};

/** A key, a part with keys in it, or something in a key that takes anything. */
const isKey = (table: KeyTable, path: string): boolean => {
  if (path === "" || isVersion(table, path)) return false;
  if (table.at.has(path) || table.namesBelow(path).length > 0) return true;
  const words = path.split(".");
  return words.some((_, index) => takesParts(table, words.slice(0, index).join(".")));
};
