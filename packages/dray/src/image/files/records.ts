import type { TarEntry } from "../../tar/index.ts";
import { grown } from "./grown.ts";
import type { LayerEntry } from "./layer-files.ts";

/** What one layer says of one path. */
export const says = {
  /** It has an entry there. */
  entry: 1,
  /** It has entries below, so there is a directory. */
  implied: 2,
  /** What layers below have there is gone. */
  removed: 4,
  /** What layers below have in that directory is gone. */
  opaque: 8,
} as const;

type EntryType = TarEntry["type"];

const types: readonly EntryType[] = [
  "file",
  "hardlink",
  "symlink",
  "character-device",
  "block-device",
  "directory",
  "fifo",
  "other",
];

/** The facts of an entry, but for its path. */
export interface EntryFacts
  extends Pick<
    LayerEntry,
    "type" | "size" | "linkName" | "mode" | "uid" | "gid" | "mtime" | "deviceMajor" | "deviceMinor" | "offset"
  > {
  /** Extended attributes by name, capabilities among them; bytes as Latin-1. */
  readonly xattrs: Readonly<Record<string, string>>;
}

/** What stands for no record. */
export const noRecord = 0;

/** Of pax records that hold extended attributes. */
export const xattrPrefix = "SCHILY.xattr.";

/** What layers say of paths, in columns. Of one path there is a chain of records, the uppermost layer's first. 0 is none. */
export class Records {
  #count = 1;
  #flags = new Uint8Array(1024);
  #layers = new Uint16Array(1024);
  #next = new Uint32Array(1024);
  #types = new Uint8Array(1024);
  #modes = new Uint16Array(1024);
  /** Four to a record: size, offset, mtime, and user and group as one number. */
  #numbers = new Float64Array(4096);
  readonly #links = new Map<number, string>();
  readonly #devices = new Map<number, readonly [number, number]>();
  readonly #xattrs = new Map<number, Readonly<Record<string, string>>>();
  /** Of the few whose user and group are no number together. */
  readonly #ids = new Map<number, readonly [number, number]>();
  #textBytes = 0;

  /** Bytes that they take, about. */
  get bytes(): number {
    return this.#count * 64 + this.#textBytes;
  }

  add(layer: number): number {
    const record = this.#count++;
    this.#flags = grown(this.#flags, this.#count);
    this.#layers = grown(this.#layers, this.#count);
    this.#next = grown(this.#next, this.#count);
    this.#types = grown(this.#types, this.#count);
    this.#modes = grown(this.#modes, this.#count);
    this.#numbers = grown(this.#numbers, this.#count * 4);
    this.#layers[record] = layer;
    return record;
  }

  layer(record: number): number {
    return this.#layers[record] as number;
  }

  next(record: number): number {
    return this.#next[record] as number;
  }

  link(record: number, next: number): void {
    this.#next[record] = next;
  }

  has(record: number, flag: number): boolean {
    return ((this.#flags[record] as number) & flag) !== 0;
  }

  mark(record: number, flag: number): void {
    this.#flags[record] = (this.#flags[record] as number) | flag;
  }

  type(record: number): EntryType {
    return types[this.#types[record] as number] as EntryType;
  }

  /** Takes in an entry, in place of an earlier one of the same layer. */
  write(record: number, entry: LayerEntry): void {
    this.mark(record, says.entry);
    this.#types[record] = types.indexOf(entry.type);
    this.#modes[record] = entry.mode;
    const ids = entry.uid * 2 ** 21 + entry.gid;
    this.#numbers.set([entry.size, entry.offset, entry.mtime, fits(entry) ? ids : -1], record * 4);
    for (const side of [this.#links, this.#devices, this.#xattrs, this.#ids]) side.delete(record);
    if (!fits(entry)) this.#ids.set(record, [entry.uid, entry.gid]);
    if (entry.linkName !== "") this.#links.set(record, entry.linkName);
    this.#textBytes += entry.linkName.length * 2;
    if (entry.deviceMajor !== 0 || entry.deviceMinor !== 0)
      this.#devices.set(record, [entry.deviceMajor, entry.deviceMinor]);
    const xattrs = xattrsOf(entry.pax);
    if (xattrs === undefined) return;
    this.#xattrs.set(record, xattrs);
    for (const [name, value] of Object.entries(xattrs)) this.#textBytes += (name.length + value.length) * 2;
  }

  facts(record: number): EntryFacts {
    const [size = 0, offset = 0, mtime = 0, ids = 0] = this.#numbers.subarray(record * 4, record * 4 + 4);
    const [uid, gid] = this.#ids.get(record) ?? [Math.floor(ids / 2 ** 21), ids % 2 ** 21];
    const [deviceMajor, deviceMinor] = this.#devices.get(record) ?? [0, 0];
    return {
      type: this.type(record),
      size,
      linkName: this.#links.get(record) ?? "",
      mode: this.#modes[record] as number,
      uid,
      gid,
      mtime,
      deviceMajor,
      deviceMinor,
      offset,
      xattrs: this.#xattrs.get(record) ?? {},
    };
  }
}

/** Whether user and group fit into one number. */
const fits = ({ uid, gid }: LayerEntry): boolean => uid < 2 ** 31 && gid < 2 ** 21;

const xattrsOf = (pax: Readonly<Record<string, string>>): Readonly<Record<string, string>> | undefined => {
  const found = Object.entries(pax).filter(([key]) => key.startsWith(xattrPrefix));
  return found.length === 0
    ? undefined
    : Object.fromEntries(found.map(([key, value]) => [key.slice(xattrPrefix.length), value]));
};
