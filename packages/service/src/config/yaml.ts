import { defined } from "dray/internal/defined";
import { isAlias, isMap, isNode, isScalar, isSeq, LineCounter, type Node, type Pair, parseDocument } from "yaml";
import { type ConfigNode, type MapNode, mapNode, type Origin, type Remark } from "./node.ts";

export interface Parsed {
  /** Missing for an empty text. */
  readonly node?: ConfigNode;
  readonly complaints: readonly Remark[];
  /** It is no YAML: the node is what could be made of it all the same. */
  readonly broken?: true;
}

/** Where the text comes from: positions of a file, or a name that stands for all of it. */
type Source = { readonly file: string } | Origin;

/** No configuration has more; aliases of aliases could. */
const most = 5000;
const deepest = 40;

/**
 * YAML as nodes that know where they stand. Scalars stay text, because YAML 1.1 is read, where `on` is a boolean and `0.1`
 * a version. Aliases and merge keys are resolved. A key that stands twice is refused: which one counts differs between readers.
 */
export const parseYaml = (text: string, source: Source): Parsed => {
  const lines = new LineCounter();
  const complaints: Remark[] = [];
  const originAt = (offset: number): Origin => {
    if ("kind" in source) return source;
    const { line, col } = lines.linePos(offset);
    return { kind: "file", file: source.file, line: Math.max(1, line), column: Math.max(1, col) };
  };
  const complain = (offset: number, message: string, key = ""): void => {
    complaints.push({ key, origin: originAt(offset), message });
  };
  const document = parseDocument(text, {
    version: "1.1",
    schema: "failsafe",
    lineCounter: lines,
    prettyErrors: false,
    uniqueKeys: false,
    // Below it a second document would be passed over.
    logLevel: "error",
  });
  for (const { code, message, pos } of document.errors)
    complain(pos[0], code === "MULTIPLE_DOCS" ? "a second document begins here; keep one" : unquoted(message));
  const broken = complaints.length > 0 ? true : undefined;
  if (document.contents === null) return defined({ complaints, broken });

  let count = 0;
  let beyond: Remark | undefined;
  const convert = (node: unknown, origin: Origin, path: string, depth: number): ConfigNode | undefined => {
    if (++count > most || depth > deepest) {
      beyond ??= { key: path, origin, message: "too much or too deep for a configuration" };
      return undefined;
    }
    if (isAlias(node)) {
      const target = node.resolve(document);
      if (target !== undefined) return convert(target, origin, path, depth + 1);
      // A glob such as *-rc* is meant; what it would have left out must not come in unnoticed.
      complaints.push({ key: path, origin, message: "begins with *, which YAML takes for an alias; put it in quotes" });
      return undefined;
    }
    if (isMap(node)) return convertMap(node.items, origin, path, depth);
    if (isSeq(node)) {
      const items = node.items.map((item, index) =>
        convert(item, originOf(item, origin), `${path}[${index}]`, depth + 1),
      );
      return { kind: "list", items: items.filter((item) => item !== undefined), origin };
    }
    if (!isScalar(node)) return { kind: "scalar", text: "", plain: true, origin };
    const written = typeof node.value === "string" ? node.value : "";
    return { kind: "scalar", text: written, plain: node.type === undefined || node.type === "PLAIN", origin };
  };
  const originOf = (node: unknown, otherwise: Origin): Origin =>
    isNode(node) && node.range ? originAt(node.range[0]) : otherwise;

  const convertMap = (pairs: readonly Pair[], origin: Origin, path: string, depth: number): MapNode => {
    const map = mapNode(origin);
    const merged: MapNode[] = [];
    for (const { key, value } of pairs) {
      const at = originOf(key, origin);
      if (!isScalar(key) || typeof key.value !== "string") {
        complaints.push({ key: path, origin: at, message: "a key is text; this one is not" });
        continue;
      }
      const name = key.value;
      const inside = path === "" ? name : `${path}.${name}`;
      const before = map.entries.get(name);
      if (before !== undefined) {
        const first = before.origin.kind === "file" ? `, first on line ${before.origin.line}` : "";
        complaints.push({ key: inside, origin: at, message: `stands here twice${first}; keep one` });
        continue;
      }
      const converted = convert(value as Node | null, at, inside, depth + 1);
      if (converted === undefined) continue;
      if (name !== "<<") map.entries.set(name, converted);
      else
        for (const each of converted.kind === "list" ? converted.items : [converted])
          if (each.kind === "map") merged.push(each);
    }
    for (const { entries } of merged)
      for (const [name, node] of entries) if (!map.entries.has(name)) map.entries.set(name, node);
    return map;
  };

  const faults = [...complaints];
  const node = convert(document.contents, originAt(document.contents.range[0]), "", 0);
  if (broken !== undefined) return defined({ node, complaints: faults, broken });
  if (beyond !== undefined) return { complaints: [beyond] };
  return defined({ node, complaints });
};

/** What the parser quotes of the text may be a secret. */
const unquoted = (message: string): string =>
  `this is no YAML: ${message.replace(/: .*$/s, "").replace(/"[^"]*"/g, "…")}`;
