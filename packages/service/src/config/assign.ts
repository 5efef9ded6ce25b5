import { defined } from "dray/internal/defined";
import { type KeyTable, takesParts } from "./key-table.ts";
import { type ConfigNode, isNull, type ListNode, type MapNode, mapNode, type Origin, type Remark } from "./node.ts";
import { parseYaml } from "./yaml.ts";

/**
 * The path in the tree that upper-case words stand for: `HTTP_TLS_KEY` is `http.tls.key`. `undefined` where no key is called so.
 * Below a key that takes lists or maps anything goes, in the case in which it was written.
 */
export const resolvePath = (table: KeyTable, words: readonly string[]): readonly string[] | undefined => {
  const names: string[] = [];
  for (const [index, word] of words.entries()) {
    const path = names.join(".");
    if (table.at.has(path)) return takesParts(table, path) ? [...names, ...words.slice(index)] : undefined;
    const name = table.namesBelow(path).find((each) => each.toUpperCase() === word);
    if (name === undefined) return choosesName(table, path) ? [...names, ...words.slice(index).map(lower)] : undefined;
    names.push(name);
  }
  return names;
};

const choosesName = ({ shorthands = {} }: KeyTable, path: string): boolean => {
  const shorthand = shorthands[path];
  return shorthand !== undefined && "name" in shorthand;
};

const lower = (word: string): string => word.toLowerCase();

/** Puts a value at a path, making what is missing on the way. Answers what is wrong, if something is. */
export const assign = (
  table: KeyTable,
  root: MapNode,
  path: readonly string[],
  value: ConfigNode,
): string | undefined => {
  let at: MapNode | ListNode = root;
  for (const [index, word] of path.entries()) {
    const slot = slotIn(at, word);
    if (typeof slot === "string") return slot;
    if (index === path.length - 1) slot.put(value);
    else {
      at = container(table, slot.there, path.slice(0, index + 1), path[index + 1] ?? "", value.origin);
      slot.put(at);
    }
  }
  return undefined;
};

interface Slot {
  readonly there: ConfigNode | undefined;
  put(node: ConfigNode): void;
}

/** A member of a map, in whatever case; an element of a list by its number, or the one after the last. */
const slotIn = (at: MapNode | ListNode, word: string): Slot | string => {
  if (at.kind === "map") {
    const { entries } = at;
    const name = entries.keys().find((each) => each.toUpperCase() === word.toUpperCase()) ?? word;
    return { there: entries.get(name), put: (node) => void entries.set(name, node) };
  }
  const { items } = at;
  const position = /^\d+$/.test(word) ? Number(word) : Number.NaN;
  if (!(position <= items.length)) return `names element ${word} of a list that has ${items.length}`;
  return { there: items[position], put: (node) => void (items[position] = node) };
};

/** What is there already if something can be put into it, else something new. */
const container = (
  table: KeyTable,
  there: ConfigNode | undefined,
  path: readonly string[],
  next: string,
  origin: Origin,
): MapNode | ListNode => {
  const expanded = there === undefined ? undefined : expand(table, there, path.join("."));
  if (expanded !== undefined && expanded.kind !== "scalar") return expanded;
  const list = table.at.get(path.join("."))?.type.name.startsWith("list") === true || /^\d+$/.test(next);
  return list ? { kind: "list", items: [], origin } : mapNode(origin);
};

/** The map that a scalar stands for: `auth: none`, `readonly: true`. */
export const expand = ({ shorthands = {} }: KeyTable, node: ConfigNode, path: string): ConfigNode => {
  const shorthand = shorthands[path];
  if (shorthand === undefined || node.kind !== "scalar" || isNull(node)) return node;
  const { origin, text } = node;
  const empty: ConfigNode = { kind: "scalar", text: "", plain: true, origin };
  const [name, value] = "name" in shorthand ? [text, empty] : [shorthand.member, node];
  return { kind: "map", entries: new Map([[name, value]]), origin };
};

/**
 * A value in YAML. Of a key that takes one word, what is no YAML is taken as it stands: `[::1]:5000`; of a list as well what begins
 * with `*`: a glob, or times of cron.
 */
export const valueOf = (
  table: KeyTable,
  text: string,
  key: string,
  origin: Origin,
): { node?: ConfigNode; faults: readonly Remark[] } => {
  const { node, complaints } = parseYaml(text, origin);
  if (text.startsWith("*") && table.at.get(key)?.type.name.startsWith("list") === true)
    return { node: { kind: "scalar", text, plain: false, origin }, faults: [] };
  if (
    table.at.has(key) &&
    !takesParts(table, key) &&
    (complaints.length > 0 || node === undefined || node.kind !== "scalar" || isNull(node))
  )
    return { node: { kind: "scalar", text, plain: false, origin }, faults: [] };
  return defined({ node, faults: complaints.map((each) => ({ ...each, key })) });
};
