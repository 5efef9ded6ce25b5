import { parseDuration } from "dray/internal/duration";
import { type ConfigNode, isNull, type MapNode, type Origin, truthOf } from "./node.ts";
import { parseSize } from "./size.ts";

/** A part of a JSON Schema. */
export type Schema = Readonly<Record<string, unknown>>;

/** What a key may say. */
export interface ValueType<T = unknown> {
  /** For people: `duration`, `text`, `list of text`. */
  readonly name: string;
  readonly schema: Schema;
  /**
   * The value, or `undefined` where nothing was said.
   * @throws Misfit what is wrong with it, without the value itself
   */
  read(node: ConfigNode): T | undefined;
}

/** A value that its key cannot have. `at` where a part of it is to blame. */
export class Misfit extends Error {
  readonly at: Origin | undefined;
  /** Several where several parts are to blame. */
  readonly all: readonly Misfit[];
  constructor(message: string, at?: Origin, all?: readonly Misfit[]) {
    super(message);
    this.at = at;
    this.all = all ?? [this];
  }
}

/** The work on each part; what is wrong with all of them at once. */
const each = <P, R>(parts: readonly P[], work: (part: P) => R): R[] => {
  const wrong: Misfit[] = [];
  const done = parts.flatMap((part) => {
    try {
      return [work(part)];
    } catch (error) {
      if (!(error instanceof Misfit)) throw error;
      for (const each of error.all) wrong.push(each);
      return [];
    }
  });
  if (wrong.length > 0) throw new Misfit("has parts that cannot be used", undefined, wrong);
  return done;
};

/** The text of a scalar; `undefined` for null. */
const textOf = (node: ConfigNode, expected: string): string | undefined => {
  const [what, how] = expected.split("; ");
  if (node.kind !== "scalar")
    throw new Misfit(`a ${node.kind} stands where ${what} belongs${how === undefined ? "" : `; ${how}`}`);
  return isNull(node) ? undefined : node.text;
};

const scalar = <T>(
  name: string,
  schema: Schema,
  expected: string,
  parse: (text: string) => T | undefined,
): ValueType<T> => ({
  name,
  schema,
  read: (node) => {
    const text = textOf(node, expected);
    if (text === undefined || text === "") return undefined;
    const value = parse(text);
    if (value === undefined) throw new Misfit(`is not ${expected}`);
    return value;
  },
});

const line: ValueType<string> = scalar("text", { type: ["string", "number"] }, "one line of text", (said) =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they would end a header or a path
  /[\u0000-\u001f\u007f]/.test(said) ? undefined : said,
);

/** A line. `true` is none: whoever writes it means to switch something on, and a file or a repository is hardly ever called so. */
export const text: ValueType<string> = {
  ...line,
  read: (node) => {
    if (node.kind === "scalar" && node.plain && /^(?:true|false)$/i.test(node.text))
      throw new Misfit(`is no switch; write a text, in quotes if it is really called ${node.text}`);
    return line.read(node);
  },
};

/** A place in the file system, as it is: no shell is between, and a folder called `~` is hardly ever meant. */
export const path: ValueType<string> = {
  ...text,
  read: (node) => {
    const said = text.read(node);
    if (said !== undefined && /^~[^/]*(?:\/|$)/.test(said))
      throw new Misfit("begins with ~, which stands for no folder here; write the whole path");
    return said;
  },
};

export const truth: ValueType<boolean> = {
  name: "true or false",
  schema: { type: "boolean" },
  read: (node) => {
    if (textOf(node, "true or false") === undefined) return undefined;
    const value = truthOf(node);
    if (value === undefined) throw new Misfit("is neither true nor false");
    return value;
  },
};

export const count: ValueType<number> = scalar("number", { type: "integer" }, "a whole number", (said) =>
  /^[+-]?\d{1,15}$/.test(said) ? Number(said) : undefined,
);

export const positive: ValueType<number> = scalar(
  "number",
  { type: "integer", minimum: 1 },
  "a whole number from 1 on",
  (said) => (/^\+?\d{1,15}$/.test(said) && Number(said) > 0 ? Number(said) : undefined),
);

/** Milliseconds. */
export const duration: ValueType<number> = scalar(
  "duration",
  {
    type: ["string", "integer"],
    pattern: "^\\+?(0+|((\\d+(\\.\\d*)?|\\.\\d+)(ns|us|µs|μs|ms|s|m|h|d))+)$",
    maximum: 0,
  },
  "a duration; write a number with its unit, as 30s, 1h30m or 168h",
  parseDuration,
);

/** Bytes. */
export const size: ValueType<number> = scalar(
  "size",
  { type: ["string", "integer"], pattern: "^\\d+(\\.\\d+)? ?([kKmMgGtT][iI]?)?[bB]?$", minimum: 0 },
  "a size; write bytes or a unit with them, as 4096, 64MiB or 1GB",
  parseSize,
);

export const choice = <T extends string>(...words: readonly T[]): ValueType<T> =>
  scalar(`one of ${words.join(", ")}`, { type: "string", enum: words }, `one of ${words.join(", ")}`, (said) =>
    words.find((word) => word.toLowerCase() === said.toLowerCase()),
  );

/** A list; one scalar stands for a list of one. `check` says what is wrong with an item. */
export const listOf = <T>(
  item: ValueType<T>,
  check: (value: T) => string | undefined = () => undefined,
): ValueType<T[]> => ({
  name: `list of ${item.name}`,
  schema: { type: ["array", "string"], items: item.schema },
  read: (node) => {
    if (isNull(node)) return undefined;
    if (node.kind === "scalar" && node.plain && /^(?:true|false)$/i.test(node.text))
      throw new Misfit("is no switch; write a list of what is meant, as [ONE, ANOTHER]");
    if (node.kind === "map" && item.schema["type"] !== "object")
      throw new Misfit("a map stands where a list belongs; write [ONE, ANOTHER], each a line of text");
    const items = node.kind === "list" ? node.items : [node];
    const values = each(items, (one) => {
      const value = located(one, () => item.read(one));
      const wrong = value === undefined ? undefined : check(value);
      if (wrong !== undefined) throw new Misfit(wrong, one.origin);
      return value;
    });
    return values.filter((value) => value !== undefined);
  },
});

export const located = <T>(node: ConfigNode, work: () => T): T => {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof Misfit)) throw error;
    const here = ({ message, at }: Misfit): Misfit => new Misfit(message, at ?? node.origin);
    const several = error.all[0] !== error;
    throw several ? new Misfit(error.message, node.origin, error.all.map(here)) : here(error);
  }
};

const mapOf = (node: ConfigNode, expected: string): MapNode => {
  if (node.kind !== "map") throw new Misfit(`is not ${expected}`);
  return node;
};

const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: exactly what a header's value may not have
const unfit = /[\u0000-\u0008\u000a-\u001f\u007f]|[^\u0000-\u00ff]/;
const framing = /^(?:connection|content-length|transfer-encoding|keep-alive|upgrade|trailer|date)$/i;

/** Header names with one value or several. */
export const headers: ValueType<Readonly<Record<string, readonly string[]>>> = {
  name: "map of header names to lists of values",
  schema: { type: "object", additionalProperties: { type: ["array", "string"], items: { type: "string" } } },
  read: (node) => {
    if (isNull(node)) return undefined;
    const entries = [...mapOf(node, "a map of header names to lists of values").entries];
    const said = each(entries, ([name, values]) => {
      if (!token.test(name)) throw new Misfit("has a name that no header can have", values.origin);
      if (framing.test(name)) throw new Misfit(`sets ${name}, which the server sets itself; remove it`, values.origin);
      const items = values.kind === "list" ? values.items : [values];
      return [name, each(items, (item) => headerValue(name, item))] as const;
    });
    return Object.fromEntries(said);
  },
};

const headerValue = (name: string, node: ConfigNode): string => {
  const value = located(node, () => textOf(node, "a header's value")) ?? "";
  if (unfit.test(value)) throw new Misfit(`has a value of ${name} that no header can have`, node.origin);
  return value;
};

/** Words that every line of the log carries. */
export const fields: ValueType<Readonly<Record<string, string>>> = {
  name: "map of text",
  schema: { type: "object" },
  read: (node) => {
    if (isNull(node)) return undefined;
    const said = [...mapOf(node, "a map of names to text").entries];
    return Object.fromEntries(
      each(said, ([name, value]) => [name, located(value, () => textOf(value, "text")) ?? ""] as const),
    );
  },
};

/** Anything: of a key that has no effect here, that is refused whatever it says, or that only has to be there. */
export const anything: ValueType<object> = { name: "anything", schema: {}, read: () => ({}) };
