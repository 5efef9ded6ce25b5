import { Composer, type CST, isAlias, isMap, isScalar, isSeq, type Node, type Pair, Parser, type Scalar } from "yaml";
import type { ListNode, MapNode, ScalarNode, TreeNode } from "./node.ts";

/** What is wrong with a document, at an index of the whole text. */
export class TreeFault extends Error {
  readonly index: number;
  readonly limit: boolean;
  constructor(message: string, index: number, limit = false) {
    super(message);
    this.index = index;
    this.limit = limit;
  }
}

/** One document of a file: its tree, or what is wrong with it; neither where it is empty. */
export interface TreeDocument {
  readonly root?: TreeNode;
  readonly fault?: TreeFault;
}

/** Deeper nesting ends parsers by their stack. */
const deepest = 100;
/** Of one document: what a parser keeps of it takes a hundred times as much. */
const longest = 8 * 1024 * 1024;
/** Aliases and merge keys could make more of a short text. */
const most = 1_000_000;

/**
 * Each document of a stream on its own, so that one that is no YAML takes nothing from the others: a line that begins with `---` begins a document
 * wherever it stands, in the midst of a text as well.
 * @param original the same with its templates. A document that has some may be no YAML before they are run, so it is read as far as it is.
 */
export const readYaml = (text: string, original: string = text): TreeDocument[] => {
  const documents: TreeDocument[] = [];
  const marker = /^(?:---|\.\.\.)(?=[ \t\r\n]|$)/gm;
  let start = 0;
  for (const match of [...text.matchAll(marker), undefined]) {
    const end = match?.index ?? text.length;
    if (end > start) {
      const chunk = text.slice(start, end);
      documents.push(...readChunk(chunk, start, chunk !== original.slice(start, end)));
    }
    start = match === undefined ? end : match[0] === "..." ? end + 3 : end;
  }
  return documents;
};

/** Directives say which YAML it is, which is the same to us. */
const directive = /^%[^\r\n]*/gm;

const readChunk = (chunk: string, offset: number, isTemplate: boolean): TreeDocument[] => {
  if (chunk.length > longest)
    return [{ fault: new TreeFault(`a document has more than ${longest} bytes`, offset, true) }];
  const isDirectives = !chunk.startsWith("---") && /^%/m.test(chunk);
  const source = isDirectives ? chunk.replace(directive, (line) => "#".repeat(line.length)) : chunk;
  const tokens = [...new Parser().parse(source)];
  const tooDeep = tokens.map(deepIn).find((index) => index !== undefined);
  if (tooDeep !== undefined) return [{ fault: new TreeFault(`nested deeper than ${deepest}`, offset + tooDeep, true) }];
  const composer = new Composer({
    version: "1.1",
    schema: "failsafe",
    merge: false,
    uniqueKeys: false,
    prettyErrors: false,
    logLevel: "error",
  });
  return [...composer.compose(tokens)].map((document): TreeDocument => {
    const [error] = document.errors;
    if (error !== undefined && !isTemplate)
      return { fault: new TreeFault(unquoted(error.message), offset + error.pos[0]) };
    if (document.contents === null) return {};
    try {
      return { root: converter(source, offset)(document.contents) };
    } catch (fault) {
      if (fault instanceof TreeFault) return { fault };
      throw fault;
    }
  });
};

/** What the parser quotes of the text may be a secret. */
const unquoted = (message: string): string => message.replace(/: .*$/s, "").replace(/"[^"]*"/g, "…");

/** Where tokens nest too deep; no recursion, since that is what has to be avoided. */
const deepIn = (token: CST.Token): number | undefined => {
  const open: [token: CST.Token | null | undefined, depth: number][] = [[token, 0]];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const [here, depth] = next;
    if (depth > deepest) return here && "offset" in here ? here.offset : 0;
    if (here?.type === "document") open.push([here.value, depth]);
    if (here && "items" in here)
      for (const { key, value } of here.items) open.push([key, depth + 1], [value, depth + 1]);
  }
  return undefined;
};

/** No value, in the words of YAML. */
const nothing = /^(?:~|null|Null|NULL)$/;

/** Nodes of a document as ours. What aliases name is the very node, once. */
const converter = (source: string, offset: number): ((node: unknown) => TreeNode) => {
  const anchors = new Map<string, TreeNode>();
  const named = (node: { anchor?: string | undefined }, tree: TreeNode): void => {
    if (node.anchor !== undefined) anchors.set(node.anchor, tree);
  };
  let count = 0;
  const counted = (by: number): void => {
    count += by;
    if (count > most) throw new TreeFault(`more than ${most} values`, offset, true);
  };
  const convert = (node: unknown): TreeNode => {
    // A name stands for what had it last; the parser's own look-up goes through the whole document each time.
    if (isAlias(node)) return anchors.get(node.source) ?? emptyScalar(offset);
    counted(1);
    const start = offset + ((node as Node | null)?.range?.[0] ?? 0);
    if (isMap(node)) {
      const entries = new Map<string, { key: ScalarNode; value: TreeNode }>();
      const map: MapNode = { type: "map", entries, start };
      named(node, map);
      fill(entries, node.items);
      return map;
    }
    if (isSeq(node)) {
      const items: TreeNode[] = [];
      const list: ListNode = { type: "list", items, start };
      named(node, list);
      for (const item of node.items) items.push(convert(item));
      return list;
    }
    if (!isScalar(node)) return emptyScalar(start);
    const said = scalar(node, source, offset);
    const text = said.style === "plain" && nothing.test(said.text) ? { ...said, text: "", verbatim: false } : said;
    named(node, text);
    return text;
  };
  /** What stands in a map itself counts, before what is merged into it; of two equal keys the last, as in most readers. */
  const fill = (entries: Map<string, { key: ScalarNode; value: TreeNode }>, pairs: readonly Pair[]): void => {
    const merged: MapNode[] = [];
    for (const { key, value } of pairs) {
      if (!isScalar(key)) continue;
      const name = scalar(key, source, offset);
      const below = convert(value);
      if (name.text !== "<<") entries.set(name.text, { key: name, value: below });
      else for (const each of below.type === "list" ? below.items : [below]) if (each.type === "map") merged.push(each);
    }
    for (const each of merged) {
      counted(each.entries.size);
      for (const [name, entry] of each.entries) if (!entries.has(name)) entries.set(name, entry);
    }
  };
  return convert;
};

const emptyScalar = (at: number): ScalarNode => ({
  type: "scalar",
  text: "",
  start: at,
  end: at,
  style: "plain",
  verbatim: false,
});

const scalar = (node: Scalar, source: string, offset: number): ScalarNode => {
  const [from = 0, to = 0] = node.range ?? [];
  const isBlock = node.type === "BLOCK_LITERAL" || node.type === "BLOCK_FOLDED";
  const isQuoted = node.type === "QUOTE_DOUBLE" || node.type === "QUOTE_SINGLE";
  const whole = typeof node.value === "string" ? node.value : "";
  const text = isBlock ? whole.trim() : whole;
  const style = isBlock ? "literal" : isQuoted ? "quoted" : "plain";
  const written = source.slice(from, to);
  const at = isQuoted ? 1 : isBlock ? written.indexOf(text, written.indexOf("\n")) : 0;
  const verbatim =
    text !== "" && at >= 0 && written.startsWith(text, at) && (!isQuoted || written.length === text.length + 2);
  const start = from + (at >= 0 ? at : isBlock ? written.indexOf("\n") + 1 : 0);
  const end = verbatim ? start + text.length : isQuoted ? to - 1 : to;
  return { type: "scalar", text, start: offset + start, end: offset + Math.max(start, end), style, verbatim };
};
