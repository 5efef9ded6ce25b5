import { keyOf, namesBelow, shorthands } from "./keys/index.ts";
import { type ConfigNode, isNull, type ListNode, type MapNode, mapNode } from "./node.ts";

/**
 * The path in the tree that upper-case words stand for: `HTTP_TLS_KEY` is `http.tls.key`. `undefined` where no key is called so.
 * Below a key that takes lists or maps anything goes, in the case in which it was written.
 */
export const resolvePath = (words: readonly string[]): readonly string[] | undefined => {
  const names: string[] = [];
  for (const [index, word] of words.entries()) {
    const path = names.join(".");
    if (keyOf.has(path)) return takesParts(path) ? [...names, ...words.slice(index)] : undefined;
    const name = namesBelow(path).find((each) => each.toUpperCase() === word);
    // A driver or a way of access that nobody knows is no typing error to pass over.
    if (name === undefined && (path === "storage" || path === "auth"))
      return [...names, ...words.slice(index).map(lower)];
    if (name === undefined) return undefined;
    names.push(name);
  }
  return names;
};

/** A key whose value has parts of its own: a list, a map, anything. */
export const takesParts = (path: string): boolean => /^(?:list|map|anything)/.test(keyOf.get(path)?.type.name ?? "");

const lower = (word: string): string => word.toLowerCase();

/** Puts a value at a path, making what is missing on the way. Answers what is wrong, if something is. */
export const assign = (root: MapNode, path: readonly string[], value: ConfigNode): string | undefined => {
  let at: MapNode | ListNode = root;
  for (const [index, word] of path.entries()) {
    const last = index === path.length - 1;
    if (at.kind === "list") {
      const position = /^\d+$/.test(word) ? Number(word) : Number.NaN;
      if (!(position <= at.items.length)) return `names element ${word} of a list that has ${at.items.length}`;
      if (last) at.items[position] = value;
      else {
        const inside: MapNode | ListNode = container(
          at.items[position],
          path.slice(0, index + 1),
          path[index + 1] ?? "",
          value,
        );
        at.items[position] = inside;
        at = inside;
      }
    } else {
      const name: string = at.entries.keys().find((each) => each.toUpperCase() === word.toUpperCase()) ?? word;
      if (last) at.entries.set(name, value);
      else {
        const inside: MapNode | ListNode = container(
          at.entries.get(name),
          path.slice(0, index + 1),
          path[index + 1] ?? "",
          value,
        );
        at.entries.set(name, inside);
        at = inside;
      }
    }
  }
  return undefined;
};

/** What is there already if something can be put into it, else something new. */
const container = (
  there: ConfigNode | undefined,
  path: readonly string[],
  next: string,
  value: ConfigNode,
): MapNode | ListNode => {
  const { origin } = value;
  const expanded = there === undefined ? undefined : expand(there, path.join("."));
  if (expanded !== undefined && expanded.kind !== "scalar") return expanded;
  const list = keyOf.get(path.join("."))?.type.name.startsWith("list") === true || /^\d+$/.test(next);
  return list ? { kind: "list", items: [], origin } : mapNode(origin);
};

/** The map that a scalar stands for: `auth: none`, `readonly: true`. */
export const expand = (node: ConfigNode, path: string): ConfigNode => {
  const shorthand = shorthands[path];
  if (shorthand === undefined || node.kind !== "scalar" || isNull(node)) return node;
  const { origin, text } = node;
  const empty: ConfigNode = { kind: "scalar", text: "", plain: true, origin };
  const [name, value] = "name" in shorthand ? [text, empty] : [shorthand.member, node];
  return { kind: "map", entries: new Map([[name, value]]), origin };
};
