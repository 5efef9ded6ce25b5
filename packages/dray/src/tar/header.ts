import { blockSize, type EntryType, type TarEntry } from "./entry.ts";
import { numberIn } from "./numbers.ts";
import { decodeText } from "./text.ts";

/** One header block, its fields as they are written; long names and pax records are not applied yet. */
export interface RawHeader extends Omit<TarEntry, "type" | "pax" | "extents"> {
  readonly flag: string;
}

/** Where the fields lie. @see POSIX.1-2017, pax, "ustar Interchange Format" */
export const fields = {
  name: [0, 100],
  mode: [100, 8],
  uid: [108, 8],
  gid: [116, 8],
  size: [124, 12],
  mtime: [136, 12],
  checksum: [148, 8],
  flag: [156, 1],
  linkName: [157, 100],
  magic: [257, 8],
  uname: [265, 32],
  gname: [297, 32],
  deviceMajor: [329, 8],
  deviceMinor: [337, 8],
  prefix: [345, 155],
} as const;

type Field = keyof typeof fields;

/** Type flags of headers that describe the next one. */
export const flags = { paxLocal: "x", paxGlobal: "g", gnuLongName: "L", gnuLongLink: "K", gnuSparse: "S" } as const;

/** The type flag of each kind of entry that can be written. */
export const flagOf: Readonly<Record<Exclude<EntryType, "other">, string>> = {
  file: "0",
  hardlink: "1",
  symlink: "2",
  "character-device": "3",
  "block-device": "4",
  directory: "5",
  fifo: "6",
};

const types: ReadonlyMap<string, EntryType> = new Map([
  ...Object.entries(flagOf).map(([type, flag]) => [flag, type as EntryType] as const),
  ["\0", "file"],
  ["7", "file"],
  ["S", "file"],
]);

/** The kind of entry. Before ustar there was no flag for a directory, only a name with a slash at its end. */
export const entryType = (flag: string, name: string): EntryType =>
  flag === "\0" && name.endsWith("/") ? "directory" : (types.get(flag) ?? "other");

/** Whether entries of this type have no body whatever their size field says: so does every reader that containers meet. */
export const hasNoBody = (type: EntryType): boolean => type !== "file" && type !== "other";

const text = (block: Buffer, name: Field): string => {
  const [at, length] = fields[name];
  let [end, isAscii] = [at, true];
  for (; end < at + length && block[end] !== 0; end++) if ((block[end] as number) > 0x7f) isAscii = false;
  if (end === at) return "";
  return isAscii ? block.toString("latin1", at, end) : decodeText(block.subarray(at, end));
};

/** Whether the block is all zeros: one of the two that end an archive. */
export const isZero = (block: Uint8Array): boolean => block.every((byte) => byte === 0);

/** The sum of all bytes, those of the checksum field counted as spaces. `signed`: as very old writers counted. */
export const checksum = (block: Uint8Array, signed = false): number => {
  const [at, length] = fields.checksum;
  let [sum, high] = [0, 0];
  for (let i = 0; i < blockSize; i++) {
    const byte = block[i] as number;
    sum += byte;
    high += byte >> 7;
  }
  for (let i = at; i < at + length; i++) {
    const byte = block[i] as number;
    sum += 0x20 - byte;
    high -= byte >> 7;
  }
  return signed ? sum - 0x100 * high : sum;
};

/** The fault of a block that is no header at all. */
export const wrongChecksum = "the checksum is wrong";

/** Reads one header block, or says in a few words what is wrong with it. */
export const parseHeader = (bytes: Uint8Array): RawHeader | string => {
  // A header is read for each of half a million files: each field where it lies.
  const block = bytes instanceof Buffer ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const sum = numberOf(block, "checksum");
  if (sum === undefined || (sum !== checksum(block) && sum !== checksum(block, true))) return wrongChecksum;
  const ustar = isNamed(block, "ustar");
  const numbers = {
    size: numberOf(block, "size"),
    mode: numberOf(block, "mode"),
    uid: numberOf(block, "uid"),
    gid: numberOf(block, "gid"),
    mtime: numberOf(block, "mtime"),
    deviceMajor: ustar ? numberOf(block, "deviceMajor") : 0,
    deviceMinor: ustar ? numberOf(block, "deviceMinor") : 0,
  };
  for (const name in numbers) {
    const value = numbers[name as keyof typeof numbers];
    if (value === undefined) return `the field "${name}" is no number that can be handled`;
    if (value < 0 && name !== "mtime") return `the field "${name}" is negative`;
  }
  // GNU keeps other things where POSIX has the prefix of the name.
  const prefix = ustar && !isNamed(block, "ustar  \0") ? text(block, "prefix") : "";
  const name = text(block, "name");
  return {
    ...(numbers as Readonly<Record<keyof typeof numbers, number>>),
    flag: String.fromCharCode(block[fields.flag[0]] as number),
    name: prefix === "" ? name : `${prefix}/${name}`,
    linkName: text(block, "linkName"),
    uname: ustar ? text(block, "uname") : "",
    gname: ustar ? text(block, "gname") : "",
  };
};

const numberOf = (block: Uint8Array, name: Field): number | undefined => {
  const [at, length] = fields[name];
  return numberIn(block, at, length);
};

/** Whether the magic of a header begins so. */
const isNamed = (block: Uint8Array, magic: string): boolean => {
  for (let i = 0; i < magic.length; i++) if (block[fields.magic[0] + i] !== magic.charCodeAt(i)) return false;
  return true;
};
