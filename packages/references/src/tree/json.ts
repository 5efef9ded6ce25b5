import type { ListNode, MapNode, ScalarNode, TreeNode } from "./node.ts";
import { TreeFault } from "./yaml.ts";

const deepest = 100;
const string = /"((?:[^"\\\u0000-\u001f]|\\.)*)"/y;
const bare = /(?:true|false|null|-?[0-9][0-9.eE+-]*)/y;
const between = /(?:[ \t\r\n]+|\/\/[^\n]*|\/\*[^]*?\*\/)*/y;

/** JSON as a tree, with comments and commas after the last member, as editors let people write it. @throws TreeFault */
export const readJson = (text: string): TreeNode => {
  let at = 0;
  const take = (pattern: RegExp): RegExpExecArray | undefined => {
    pattern.lastIndex = at;
    const match = pattern.exec(text);
    if (match === null) return undefined;
    at = pattern.lastIndex;
    return match;
  };
  const fail = (expected: string): never => {
    throw new TreeFault(`expected ${expected}`, at);
  };
  const next = (character: string): boolean => {
    take(between);
    if (text[at] !== character) return false;
    at++;
    take(between);
    return true;
  };
  const scalar = (match: RegExpExecArray, style: "quoted" | "plain"): ScalarNode => {
    const written = match[1] ?? match[0];
    const start = match.index + (style === "quoted" ? 1 : 0);
    const verbatim = !written.includes("\\");
    const text = style === "quoted" && !verbatim ? unescaped(match[0]) : written;
    return { type: "scalar", text: text ?? fail("a string"), start, end: start + written.length, style, verbatim };
  };
  const value = (depth: number): TreeNode => {
    if (depth > deepest) throw new TreeFault(`nested deeper than ${deepest}`, at, true);
    const start = at;
    if (next("{")) return map(start, depth);
    if (next("[")) return list(start, depth);
    const quoted = take(string);
    if (quoted !== undefined) return scalar(quoted, "quoted");
    const plain = take(bare) ?? fail("a value");
    return plain[0] === "null" ? { ...scalar(plain, "plain"), text: "" } : scalar(plain, "plain");
  };
  const map = (start: number, depth: number): MapNode => {
    const entries = new Map<string, { key: ScalarNode; value: TreeNode }>();
    while (!next("}")) {
      const key = scalar(take(string) ?? fail("a key in quotes or }"), "quoted");
      if (!next(":")) fail(":");
      entries.set(key.text, { key, value: value(depth + 1) });
      if (next(",")) continue;
      if (next("}")) break;
      fail(", or }");
    }
    return { type: "map", entries, start };
  };
  const list = (start: number, depth: number): ListNode => {
    const items: TreeNode[] = [];
    while (!next("]")) {
      items.push(value(depth + 1));
      if (next(",")) continue;
      if (next("]")) break;
      fail(", or ]");
    }
    return { type: "list", items, start };
  };
  take(between);
  const root = value(0);
  take(between);
  if (at < text.length) fail("the end");
  return root;
};

const unescaped = (written: string): string | undefined => {
  try {
    return JSON.parse(written) as string;
  } catch {
    return undefined;
  }
};
