import { DrayError } from "../errors.ts";

/** Manifest bytes that Dray will hold in memory at most. Registries must accept 4 MiB. */
export const largestManifest: number = 16 * 1024 * 1024;
/** Levels of JSON that are read at most; a manifest has about six. */
const deepest = 64;
/**
 * Lists and objects that are read at most: a few bytes of text become a hundred in memory. An index of a hundred thousand
 * images has fewer.
 */
const mostContainers = 500_000;

/**
 * Parses JSON from elsewhere within limits: size, depth and count, before the parser can be made to recurse or to fill the memory.
 * @throws DrayError `MANIFEST_INVALID`, `LIMIT_EXCEEDED`
 */
export const parseJson = (bytes: Uint8Array, what: string): unknown => {
  if (bytes.byteLength > largestManifest)
    throw new DrayError("LIMIT_EXCEEDED", `the ${what} has ${bytes.byteLength} bytes; ${largestManifest} are allowed`);
  checkShape(bytes, what);
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new DrayError("MANIFEST_INVALID", `the ${what} is no valid JSON`, { cause });
  }
};

const checkShape = (bytes: Uint8Array, what: string): void => {
  let depth = 0;
  let containers = 0;
  let inString = false;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i];
    if (inString) {
      if (byte === 0x5c) i++;
      else if (byte === 0x22) inString = false;
    } else if (byte === 0x22) inString = true;
    else if (byte === 0x7b || byte === 0x5b) {
      if (++depth > deepest) throw new DrayError("LIMIT_EXCEEDED", `the ${what} nests deeper than ${deepest} levels`);
      if (++containers > mostContainers)
        throw new DrayError("LIMIT_EXCEEDED", `the ${what} has more than ${mostContainers} lists and objects`);
    } else if (byte === 0x7d || byte === 0x5d) depth--;
  }
};

/** The bytes of a new document. Keys keep their order; no white space. */
export const encodeJson = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));

/** Whether a JSON value is an object: neither a list nor `null`. */
export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

export const isText = (value: unknown): value is string => typeof value === "string";
export const isTexts = (value: unknown): boolean => Array.isArray(value) && value.every(isText);
/** Texts by name; a text may be `null`. */
export const isTextMap = (value: unknown): boolean =>
  isObject(value) && Object.values(value).every((text) => isOptional(text, isText));
export const isOptional = (value: unknown, check: (value: unknown) => boolean): boolean =>
  value === undefined || value === null || check(value);

/** The object without those of the members that are `null`; itself where there is none. */
export const withoutNulls = <T extends object>(value: T, members: readonly string[]): T => {
  const entries = Object.entries(value);
  const isNull = ([name, member]: [string, unknown]): boolean => member === null && members.includes(name);
  return entries.some(isNull) ? (Object.fromEntries(entries.filter((entry) => !isNull(entry))) as T) : value;
};

/** Texts by name, where `null` is the empty one, as to the programs in Go that write most documents; itself where there is none. */
export const texts = (map: Readonly<Record<string, string>>): Readonly<Record<string, string>> =>
  Object.values<string | null>(map).includes(null)
    ? Object.fromEntries(Object.entries<string | null>(map).map(([name, text]) => [name, text ?? ""]))
    : map;

/** What was parsed: members that we do not know are kept, and can be asked for. What is built has no others than its type. */
export type Parsed<T> = T & { readonly [member: string]: unknown };

/** A JSON value for an error message: no longer than a line, whatever somebody sends. */
export const shown = (value: unknown): string => {
  const text = JSON.stringify(value ?? null);
  return text.length <= 100 ? text : `${text.slice(0, 100)}…`;
};
