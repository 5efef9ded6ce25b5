import { nearest } from "dray/internal/nearest";
import { expand } from "./assign.ts";
import type { Key } from "./key.ts";
import type { KeyTable } from "./key-table.ts";
import { type ConfigNode, isNull, type MapNode, type Remark, type Remarks } from "./node.ts";
import { Misfit } from "./value-types.ts";

/** What was said of the keys that are supported. */
export type Said = ReadonlyMap<string, { readonly value: unknown; readonly origin: Remark["origin"] }>;

/** Compares a configuration with the table of keys. Writes `auth: none` and its like out in the tree. */
export const readKeys = (table: KeyTable, root: MapNode, { complaints, warnings }: Remarks): Said => {
  const { at: keyAt, namesBelow, harmless = [] } = table;
  const said = new Map<string, { value: unknown; origin: Remark["origin"] }>();

  const leaf = (key: Key, node: ConfigNode): void => {
    const { path, status, about } = key;
    const remark = (message: string, origin = node.origin): Remark => ({ key: path, origin, message });
    if (status === "refused" && key.matters(node)) complaints.push(remark(`is not supported. ${about}`));
    if (status === "ignored" && key.matters(node)) warnings.push(remark(`has no effect: ${about}`));
    if (status !== "supported") return;
    if (node.kind === "scalar" && node.plain && node.text === "~")
      warnings.push(
        remark("~ is YAML's word for nothing, so it is as if the key were absent; write a value, or remove it"),
      );
    try {
      const value = key.type.read(node);
      if (value === undefined) return;
      const wrong = key.check?.(value);
      if (wrong === undefined) said.set(path, { value, origin: node.origin });
      else complaints.push(remark(shown(key, node) + wrong));
    } catch (error) {
      if (!(error instanceof Misfit)) throw error;
      for (const { message, at } of error.all) complaints.push(remark(shown(key, node) + message, at));
    }
  };

  const visit = (node: ConfigNode, path: string): void => {
    const key = keyAt.get(path);
    if (key !== undefined) return leaf(key, node);
    if (isNull(node)) return;
    if (node.kind !== "map") {
      const message = `a ${node.kind === "list" ? "list" : "single value"} stands where a map belongs; its keys are ${namesBelow(path).join(", ")}`;
      complaints.push({ key: path, origin: node.origin, message });
      return;
    }
    for (const [name, below] of node.entries) {
      const inside = path === "" ? name : `${path}.${name}`;
      const isKnown = keyAt.has(inside) || namesBelow(inside).length > 0;
      if (path === "" && name.startsWith("x-")) continue;
      if (!isKnown) {
        const remark = { key: inside, origin: below.origin, message: unknown(table, name, path) };
        if (harmless.includes(inside.split(".")[0] ?? "") && path !== "") warnings.push(remark);
        else complaints.push(remark);
        continue;
      }
      const expanded = expand(table, below, inside);
      if (expanded !== below) node.entries.set(name, expanded);
      visit(expanded, inside);
    }
  };
  visit(root, "");
  return said;
};

const unknown = (table: KeyTable, name: string, path: string): string => {
  const names = table.namesBelow(path);
  const elsewhere = placesOf(table, path === "" ? name : `${path}.${name}`);
  const close = elsewhere.length === 1 ? elsewhere[0] : nearest(name, names);
  if (close !== undefined) return `no key is called so; did you mean ${close}?`;
  if (path === "") return "no key is called so; remove it, or let its name begin with x-";
  return `no key is called so; remove it, or choose among ${names.join(", ")}`;
};

/** Where in the file something stands that was said too high up: `gc` is `dray.gc`. */
const placesOf = ({ keys }: KeyTable, path: string): readonly string[] => {
  const parts = keys.map((key) => key.path.split("."));
  const paths = parts.flatMap((words) => words.map((_, index) => words.slice(0, index + 1).join(".")));
  return [...new Set(paths)].filter((each) => each.endsWith(`.${path}`));
};

/** A value that is no secret and short enough to be told, before what is wrong with it. */
const shown = ({ secret, type }: Key, node: ConfigNode): string => {
  if (secret || node.kind !== "scalar" || type.name.startsWith("map")) return "";
  return /^[^\s@]{1,60}$/.test(node.text) ? `${JSON.stringify(node.text)} ` : "it ";
};
