import { DrayError } from "../../errors.ts";
import { decodeText, encodeText, type TarEntry } from "../../tar/index.ts";
import { grown } from "./columns.ts";
import type { LayerEntry } from "./layer-files.ts";

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

/** Bytes of all links, and characters of all attributes, at most. */
const mostOfTexts = 128 * 1024 * 1024;

/** Of pax records that hold extended attributes. */
export const xattrPrefix = "SCHILY.xattr.";

/** What entries say of themselves, in columns: some forty bytes for each. 0 is none. */
export class Records {
  #count = 1;
  #layers = new Uint16Array(0);
  #types = new Uint8Array(0);
  #modes = new Uint16Array(0);
  #uids = new Uint32Array(0);
  #gids = new Uint32Array(0);
  /** Three to a record: size, offset and time. */
  #numbers = new Float64Array(0);
  /** Where the text of a link begins and ends, which has more than nothing. */
  #links = new Uint32Array(0);
  #text = new Uint8Array(1024);
  #textBytes = 0;
  readonly #devices = new Map<number, readonly [number, number]>();
  readonly #xattrs = new Map<number, Readonly<Record<string, string>>>();
  #ofXattrs = 0;
  /** Of the few whose user and group fit into no column. */
  readonly #ids = new Map<number, readonly [number, number]>();

  /** @throws DrayError `LIMIT_EXCEEDED` for links and attributes that take too much memory */
  add(layer: number, entry: LayerEntry): number {
    const record = this.#count++;
    this.#fit();
    this.#layers[record] = layer;
    this.#types[record] = types.indexOf(entry.type);
    this.#modes[record] = entry.mode;
    this.#uids[record] = entry.uid;
    this.#gids[record] = entry.gid;
    if (entry.uid >= 2 ** 32 || entry.gid >= 2 ** 32) this.#ids.set(record, [entry.uid, entry.gid]);
    this.#numbers[record * 3] = entry.size;
    this.#numbers[record * 3 + 1] = entry.offset;
    this.#numbers[record * 3 + 2] = entry.mtime;
    this.#putLink(record, entry.type === "symlink" ? entry.linkName : "");
    if (entry.deviceMajor !== 0 || entry.deviceMinor !== 0)
      this.#devices.set(record, [entry.deviceMajor, entry.deviceMinor]);
    const xattrs = xattrsOf(entry.pax);
    if (xattrs !== undefined) this.#xattrs.set(record, xattrs);
    for (const name in xattrs) this.#ofXattrs += name.length + (xattrs[name] as string).length;
    if (this.#textBytes + this.#ofXattrs > mostOfTexts)
      throw new DrayError(
        "LIMIT_EXCEEDED",
        `links and attributes in these layers have more than ${mostOfTexts} bytes together`,
      );
    return record;
  }

  layer(record: number): number {
    return this.#layers[record] as number;
  }

  type(record: number): EntryType {
    return types[this.#types[record] as number] as EntryType;
  }

  facts(record: number): EntryFacts {
    const [uid = 0, gid = 0] = this.#ids.get(record) ?? [this.#uids[record], this.#gids[record]];
    const [deviceMajor, deviceMinor] = this.#devices.get(record) ?? [0, 0];
    return {
      type: this.type(record),
      size: this.#numbers[record * 3] as number,
      linkName: this.#linkOf(record),
      mode: this.#modes[record] as number,
      uid,
      gid,
      mtime: this.#numbers[record * 3 + 2] as number,
      deviceMajor,
      deviceMinor,
      offset: this.#numbers[record * 3 + 1] as number,
      xattrs: this.#xattrs.get(record) ?? {},
    };
  }

  #linkOf(record: number): string {
    const [start, end] = [this.#links[record] as number, this.#links[record + 1] as number];
    return start === end ? "" : decodeText(this.#text.subarray(start, end));
  }

  #fit(): void {
    if (this.#layers.length > this.#count) return;
    this.#layers = grown(this.#layers, this.#count + 1);
    const { length } = this.#layers;
    this.#types = grown(this.#types, length);
    this.#modes = grown(this.#modes, length);
    this.#uids = grown(this.#uids, length);
    this.#gids = grown(this.#gids, length);
    this.#links = grown(this.#links, length + 1);
    this.#numbers = grown(this.#numbers, length * 3);
  }

  #putLink(record: number, link: string): void {
    if (link !== "") {
      const bytes = encodeText(link);
      this.#text = grown(this.#text, this.#textBytes + bytes.byteLength);
      this.#text.set(bytes, this.#textBytes);
      this.#textBytes += bytes.byteLength;
    }
    this.#links[record + 1] = this.#textBytes;
  }
}

const xattrsOf = (pax: Readonly<Record<string, string>>): Readonly<Record<string, string>> | undefined => {
  let found: Record<string, string> | undefined;
  for (const key in pax)
    if (key.startsWith(xattrPrefix)) (found ??= {})[key.slice(xattrPrefix.length)] = pax[key] as string;
  return found;
};
