import { DrayError } from "../errors.ts";
import { blockSize, type EntryType, padded, padding, type TarEntry } from "./entry.ts";
import { checksum, fields, flagOf } from "./header.ts";
import { base256, fitsOctal, parseSeconds } from "./numbers.ts";
import { formatPax } from "./pax.ts";
import { formatMap, isSparseRecord, storedSize } from "./sparse.ts";

/** What to write: a name, and what differs from a plain file of mode 0644, owned by root, of the year 1970. */
export type NewEntry = Pick<TarEntry, "name"> &
  Partial<Omit<TarEntry, "type">> & { readonly type?: Exclude<EntryType, "other"> };

/**
 * The header of an entry, one block, or three and more with a pax header before it where a field does not fit. The same
 * entry always gives the same bytes. The body comes next, then `padding(size)`; after the last entry `endOfArchive()`. Of a sparse
 * file the body is its `extents` alone: the list of them, as GNU tar's newest form begins a body with, comes with the header.
 * @example [writeHeader({ name: "a.txt", size: 3 }), bytes, padding(3), endOfArchive()]
 */
export const writeHeader = (entry: NewEntry): Uint8Array => {
  const { extents } = entry;
  if (extents !== undefined) {
    const map = formatMap(extents, entry.size ?? 0);
    const stored = { ...entry, size: map.byteLength + storedSize(extents) };
    return Buffer.concat([headerOf(stored, sparseRecords(entry)), map]);
  }
  return headerOf(entry, {});
};

/** The newest of GNU's forms; a reader that does not know it sees a file of another name, and not one with wrong content. */
const sparseRecords = ({ name, size = 0 }: NewEntry): Record<string, string> => ({
  "GNU.sparse.major": "1",
  "GNU.sparse.minor": "0",
  "GNU.sparse.name": name,
  "GNU.sparse.realsize": String(size),
});

const headerOf = (entry: NewEntry, more: Readonly<Record<string, string>>): Uint8Array => {
  const records = Object.assign(recordsOf(entry), more);
  const isPlain = more["GNU.sparse.name"] === undefined;
  const last = entry.name.replace(/\/+$/, "").split("/").at(-1) as string;
  const split = isPlain
    ? splitName(entry.name)
    : { name: truncated(`GNUSparseFile.0/${last}`, fields.name[1]), prefix: "" };
  const block = headerBlock(entry, split, flagOf[entry.type ?? "file"]);
  if (Object.keys(records).length === 0) return block;
  if (!isPlain) delete records["path"];
  const body = formatPax(records);
  const name = truncated(`PaxHeaders.0/${last}`, fields.name[1]);
  const extension = headerBlock({ name, size: body.byteLength }, { name, prefix: "" }, "x");
  return Buffer.concat([extension, body, padding(body.byteLength), block]);
};

/** A small entry as it lies in an archive: header, bytes, padding. */
export const wholeEntry = (entry: NewEntry, bytes: Uint8Array): Uint8Array =>
  Buffer.concat([writeHeader({ ...entry, size: bytes.byteLength }), bytes, padding(bytes.byteLength)]);

/** Bytes that `writeHeader` will give for an entry of this name and size. */
export const headerSize = (entry: NewEntry): number => {
  if (entry.extents !== undefined) return writeHeader(entry).byteLength;
  const records = recordsOf(entry);
  return Object.keys(records).length === 0 ? blockSize : 2 * blockSize + padded(formatPax(records).byteLength);
};

/** What the fields of one block cannot hold. */
const recordsOf = (entry: NewEntry): Record<string, string> => {
  const { name, linkName = "", mtime = 0, pax = {} } = entry;
  if (name === "") throw new DrayError("USAGE", "an entry of an archive needs a name");
  // An entry that was read brings the records of its fields along; the fields are the truth now.
  const records = Object.fromEntries(
    Object.entries(pax).filter(([key]) => !fieldRecords.has(key) && !isSparseRecord(key)),
  );
  const overflows = (text: string, field: "linkName" | "uname" | "gname"): boolean =>
    !isAscii(text) || text.length > fields[field][1] - (field === "linkName" ? 0 : 1);
  if (splitName(name).name === undefined) records["path"] = name;
  if (overflows(linkName, "linkName")) records["linkpath"] = linkName;
  for (const field of ["uname", "gname"] as const)
    if (overflows(entry[field] ?? "", field)) records[field] = entry[field] as string;
  for (const field of ["size", "uid", "gid"] as const)
    if (!fitsOctal(entry[field] ?? 0, fields[field][1])) records[field] = String(entry[field]);
  if (!fitsOctal(mtime, fields.mtime[1])) records["mtime"] = secondsText(mtime, pax["mtime"]);
  return records;
};

const fieldRecords = new Set(["path", "linkpath", "uname", "gname", "size", "uid", "gid", "mtime"]);

/** Nanoseconds do not survive as a number; the text they were read from keeps them. */
const secondsText = (mtime: number, read: string | undefined): string =>
  read !== undefined && parseSeconds(read) === mtime ? read : String(mtime);

const isAscii = (text: string): boolean => {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7f || text.charCodeAt(i) === 0) return false;
  return true;
};
const truncated = (text: string, length: number): string => text.replace(/[^\u0020-\u007e]/g, "_").slice(0, length);

/** A name as the fields `name` and `prefix` hold it; without a name where they cannot. */
const splitName = (name: string): { readonly name: string | undefined; readonly prefix: string } => {
  if (!isAscii(name)) return { name: undefined, prefix: "" };
  if (name.length <= fields.name[1]) return { name, prefix: "" };
  // The slash between prefix and name is not stored. A closing slash stays with the name.
  const slash = name.lastIndexOf("/", Math.min(name.length - 2, fields.prefix[1]));
  if (slash <= 0 || name.length - slash - 1 > fields.name[1]) return { name: undefined, prefix: "" };
  return { name: name.slice(slash + 1), prefix: name.slice(0, slash) };
};

const headerBlock = (entry: NewEntry, { name, prefix }: ReturnType<typeof splitName>, flag: string): Uint8Array => {
  const block = new Uint8Array(blockSize);
  const put = (field: keyof typeof fields, ascii: string): void => {
    const [at, length] = fields[field];
    const count = Math.min(ascii.length, length);
    for (let i = 0; i < count; i++) block[at + i] = ascii.charCodeAt(i);
  };
  /** Characters beyond ASCII are in a pax record; here is something in their place. */
  const putText = (field: keyof typeof fields, text: string): void =>
    put(field, isAscii(text) ? text : truncated(text, 100));
  const putNumber = (field: keyof typeof fields, value: number): void => {
    const [at, length] = fields[field];
    // What has no pax record of its own goes there as GNU tar has it.
    if ((field === "deviceMajor" || field === "deviceMinor") && !fitsOctal(value, length)) {
      block.set(base256(value, length), at);
      return;
    }
    let rest = fitsOctal(value, length) ? value : 0;
    for (let i = at + length - 2; i >= at; i--) {
      block[i] = 0x30 + (rest % 8);
      rest = Math.floor(rest / 8);
    }
  };
  putText("name", name ?? truncated(entry.name, fields.name[1]));
  putText("prefix", prefix);
  putNumber("mode", entry.mode ?? 0o644);
  for (const field of ["uid", "gid", "size", "deviceMajor", "deviceMinor"] as const)
    putNumber(field, entry[field] ?? 0);
  putNumber("mtime", Math.floor(entry.mtime ?? 0));
  putText("flag", flag);
  for (const field of ["linkName", "uname", "gname"] as const) putText(field, entry[field] ?? "");
  put("magic", "ustar\u000000");
  put("checksum", `${checksum(block).toString(8).padStart(6, "0")}\0 `);
  return block;
};
