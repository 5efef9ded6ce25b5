import { DrayError } from "../errors.ts";
import { type Digest, isDigest } from "../oci/index.ts";
import type { TarEntry } from "../tar/index.ts";
import { attribute, types } from "./toc.ts";

/** Some bytes of a file that one digest stands for. */
export interface Part {
  readonly size: number;
  readonly digest: Digest;
}

/** Where the bytes of a file lie. */
export interface Data {
  /** Where in the blob the compressed bytes begin. */
  readonly offset: number;
  /** Where they end, if the table says so. */
  readonly end: number | undefined;
  /** Bytes to pass over, once they are uncompressed. */
  readonly before: number;
  readonly parts: readonly Part[];
}

type Json = Readonly<Record<string, unknown>>;

/** An entry of a table of contents as a tar has it; names of owners are those said last of a number, where none are said. */
export class TocOwners {
  readonly #users = new Map<number, string>();
  readonly #groups = new Map<number, string>();

  entry(json: Json): TarEntry {
    const type = kinds.get(text(json, "type"));
    if (type === undefined) throw invalid(json, "is of an unknown kind");
    const [uid, gid] = [number(json, "uid"), number(json, "gid")];
    return {
      name: text(json, "name"),
      type,
      size: type === "file" ? number(json, "size") : 0,
      linkName: text(json, "linkName"),
      mode: number(json, "mode") & 0o7777,
      uid,
      gid,
      uname: named(this.#users, uid, text(json, "userName")),
      gname: named(this.#groups, gid, text(json, "groupName")),
      mtime: secondsOf(json),
      deviceMajor: number(json, "devMajor"),
      deviceMinor: number(json, "devMinor"),
      pax: attributesOf(json),
    };
  }
}

/**
 * Where the bytes of a file are, by its entry and those of its later parts; `undefined` for an empty one.
 * @throws DrayError `MANIFEST_INVALID` where they do not add up, or no digest stands for them
 */
export const dataOf = (entries: readonly Json[]): Data | undefined => {
  const [first] = entries;
  const size = first?.["type"] === "reg" ? number(first, "size") : 0;
  if (first === undefined || size === 0) return undefined;
  const parts: Part[] = [];
  let at = 0;
  for (const entry of entries) {
    if (number(entry, "chunkOffset") !== at) throw invalid(first, "has parts that do not follow one another");
    const length = number(entry, "chunkSize") || size - at;
    const digest = entry["chunkDigest"] ?? (entries.length === 1 ? first["digest"] : undefined);
    if (!isDigest(digest)) throw invalid(first, "has bytes that no digest stands for");
    parts.push({ size: length, digest });
    at += length;
  }
  if (at !== size) throw invalid(first, "has parts that are more or less than it");
  const end = first["endOffset"] === undefined ? undefined : number(first, "endOffset");
  return { offset: number(first, "offset"), end, before: number(first, "innerOffset"), parts };
};

const kinds: ReadonlyMap<string, TarEntry["type"]> = new Map(
  Object.entries(types).flatMap(([kind, type]) => (type === undefined ? [] : [[type, kind as TarEntry["type"]]])),
);

const text = (json: Json, key: string): string => {
  const value = json[key] ?? "";
  if (typeof value !== "string") throw invalid(json, `has a "${key}" that is no text`);
  return value;
};

/** A number that counts something; left out it is 0. */
export const number = (json: Json, key: string): number => {
  const value = json[key] ?? 0;
  if (!Number.isSafeInteger(value) || (value as number) < 0) throw invalid(json, `has a "${key}" that counts nothing`);
  return value as number;
};

const named = (names: Map<number, string>, id: number, name: string): string => {
  if (name !== "") names.set(id, name);
  return names.get(id) ?? "";
};

/** RFC 3339, with up to nine digits of a second's fraction. */
const secondsOf = (json: Json): number => {
  const said = text(json, "modtime");
  if (said === "") return 0;
  const [, date = "", fraction = "", zone = ""] = /^([^.]+?)(\.\d+)?(Z|[+-]\d\d:\d\d)$/i.exec(said) ?? [];
  const whole = Date.parse(date + zone);
  if (Number.isNaN(whole)) throw invalid(json, "has a time that is none");
  return whole / 1000 + Number(`0${fraction}`);
};

const attributesOf = (json: Json): Readonly<Record<string, string>> => {
  const said = json["xattrs"] ?? {};
  if (typeof said !== "object") throw invalid(json, 'has "xattrs" that are none');
  return Object.fromEntries(
    Object.entries(said).map(([name, value]) => {
      if (typeof value !== "string") throw invalid(json, `has an attribute "${name}" that is no text`);
      return [attribute + name, Buffer.from(value, "base64").toString("latin1")];
    }),
  );
};

const invalid = ({ name }: Json, fault: string): DrayError =>
  new DrayError("MANIFEST_INVALID", `the table of contents has an entry ${JSON.stringify(name)} that ${fault}`);
