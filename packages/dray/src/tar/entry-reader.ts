import { DrayError } from "../errors.ts";
import { blockSize, type PlacedEntry, padded } from "./entry.ts";
import { entryType, flags, hasNoBody, isZero, parseHeader, type RawHeader, wrongChecksum } from "./header.ts";
import { parseDecimal, parseSeconds } from "./numbers.ts";
import { largestExtension, mostRecords, parsePax, withRecords } from "./pax.ts";
import type { ByteSource } from "./source.ts";
import { areSparse, isSparseRecord, oldSparse, paxSparse, type SparseFile, storedSize } from "./sparse.ts";
import { decodeText } from "./text.ts";

/** What headers before an entry say about it. */
interface Extensions {
  start: number;
  name?: string;
  linkName?: string;
  pax?: Readonly<Record<string, string>>;
}

/** Flags of headers that describe the next one. */
const extensions: ReadonlySet<string> = new Set([
  flags.gnuLongName,
  flags.gnuLongLink,
  flags.paxLocal,
  flags.paxGlobal,
]);

/** Records that cannot hold for more than one entry. */
const forOne: ReadonlySet<string> = new Set(["path", "linkpath", "size"]);

const withoutSparse = (records: Readonly<Record<string, string>>): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(records).filter(([key]) => !isSparseRecord(key)));

/** Whether these first 512 bytes are the beginning of a tar: a header, or the end of one that is empty. */
export const beginsTar = (block: Uint8Array): boolean =>
  block.byteLength === blockSize && (isZero(block) || parseHeader(block) !== wrongChecksum);

/**
 * Walks from header to header. Extensions (pax local, GNU long name and link) apply to the next entry and to nothing in
 * between: a pax `size` that reached the header of a long name would make two readers see two different archives.
 */
export class EntryReader {
  readonly #source: ByteSource;
  readonly #what: string;
  /** Records of all entries that have none of their own: one object for all of them. */
  #global: Readonly<Record<string, string>> = {};
  #bodyEnd = 0;
  /** The header that was read last, until the next read. */
  #block: Uint8Array = new Uint8Array(0);
  #last = "";

  /** `what`: the archive's name for messages. */
  constructor(source: ByteSource, what: string) {
    this.#source = source;
    this.#what = what;
  }

  /** The next entry, its body not read yet; `undefined` after the last. */
  async next(): Promise<PlacedEntry | undefined> {
    const source = this.#source;
    const rest = padded(this.#bodyEnd) - source.position;
    if (rest > 0 && source.ready(rest) === undefined) await this.#passBody();
    const found: Extensions = { start: source.position };
    for (;;) {
      const at = source.position;
      const block = source.ready(blockSize) ?? (await source.read(blockSize));
      const header = this.#header(block, at, at > found.start);
      if (header === undefined) return undefined;
      if (header === "end") {
        // POSIX wants two; some writers leave the second out.
        const second = await source.read(blockSize);
        if (!isZero(second)) throw this.#invalid(`goes on after its end, at byte ${at + blockSize}`);
        return undefined;
      }
      if (extensions.has(header.flag)) await this.#extend(found, header);
      else {
        const isSparse = header.flag === flags.gnuSparse || (found.pax !== undefined && areSparse(found.pax));
        return this.#entry(header, found, isSparse ? await this.#sparse(header, found) : undefined);
      }
    }
  }

  /** Passes over what is left of the last body. Its padding may be missing at the end of a file, its bytes may not. */
  async #passBody(): Promise<void> {
    const left = this.#bodyEnd - this.#source.position;
    if (left > 0) {
      const missing = left - (await this.#source.skip(left));
      if (missing > 0)
        throw this.#invalid(`is truncated: it ends ${missing} bytes before the end of entry "${this.#last}"`);
    }
    await this.#source.skip(padded(this.#source.position) - this.#source.position);
  }

  /** A block as a header, after others of the same entry or not; `end` for one of zeros, `undefined` where the source has ended. */
  #header(block: Uint8Array, at: number, isExtended: boolean): RawHeader | "end" | undefined {
    if (block.byteLength < blockSize && (block.byteLength > 0 || isExtended)) throw this.#truncated();
    if (block.byteLength === 0) return undefined;
    if (isZero(block)) {
      if (isExtended) throw this.#invalid(`ends after the header that describes an entry, at byte ${at}`);
      return "end";
    }
    const header = parseHeader(block);
    if (typeof header !== "string") {
      this.#block = block;
      return header;
    }
    throw at === 0 && header === wrongChecksum
      ? this.#invalid("is no tar archive")
      : this.#invalid(`is damaged at byte ${at}, ${this.#after()}: ${header}`);
  }

  /** Takes in a header that describes the next one. */
  async #extend(found: Extensions, header: RawHeader): Promise<void> {
    const { flag } = header;
    if (flag === flags.gnuLongName) found.name = await this.#longText(header);
    else if (flag === flags.gnuLongLink) found.linkName = await this.#longText(header);
    else if (flag === flags.paxLocal) found.pax = await this.#records(header);
    else this.#addGlobal(await this.#records(header));
  }

  async #longText(header: RawHeader): Promise<string> {
    const body = await this.#extensionBody(header);
    const end = body.indexOf(0);
    return decodeText(end < 0 ? body : body.subarray(0, end));
  }

  async #records(header: RawHeader): Promise<Record<string, string>> {
    const records = parsePax(await this.#extensionBody(header));
    if (records === undefined) throw this.#invalid(`has a malformed pax header, ${this.#after()}`);
    this.#checkCount(records, "a pax header");
    return records;
  }

  /** Readers disagree whether a global name or size counts; an archive that has one means two things. */
  #addGlobal(records: Readonly<Record<string, string>>): void {
    const bad = Object.keys(records).find((key) => (forOne.has(key) || isSparseRecord(key)) && records[key] !== "");
    if (bad !== undefined) throw this.#invalid(`has a global pax header that sets "${bad}" for every entry`);
    this.#global = withRecords(this.#global, records);
    this.#checkCount(this.#global, "global pax headers");
  }

  #checkCount(records: Readonly<Record<string, string>>, where: string): void {
    const count = Object.keys(records).length;
    if (count > mostRecords) throw this.#invalid(`has ${where} of ${count} records; ${mostRecords} are allowed`);
  }

  async #extensionBody({ size, flag }: RawHeader): Promise<Uint8Array> {
    if (size > largestExtension)
      throw this.#invalid(
        `has an extension header ("${flag}") of ${size} bytes, ${this.#after()}; ${largestExtension} are allowed`,
      );
    const body = await this.#source.read(size);
    if (body.byteLength < size) throw this.#truncated();
    // The reader may reuse what it holds for the next block.
    const copy = new Uint8Array(body);
    await this.#source.skip(padded(size) - size);
    return copy;
  }

  /** What is said of a sparse file, its list of extents read. */
  async #sparse(header: RawHeader, { pax = {}, name }: Extensions): Promise<SparseFile> {
    const isOld = header.flag === flags.gnuSparse;
    const sparse = isOld ? await oldSparse(this.#block, this.#source) : await paxSparse(pax, this.#source);
    const called = (): string => pax["GNU.sparse.name"] ?? pax["path"] ?? name ?? header.name;
    if (typeof sparse === "string") throw this.#invalid(`has a sparse file "${called()}" that is damaged: ${sparse}`);
    return sparse;
  }

  #entry(header: RawHeader, found: Extensions, sparse: SparseFile | undefined): PlacedEntry {
    const all = found.pax === undefined ? this.#global : withRecords(this.#global, found.pax);
    const name = sparse?.name ?? this.#one("path", all, found.name) ?? header.name;
    this.#last = name;
    const pax = sparse === undefined ? all : withoutSparse(all);
    const number = (key: string, written: number, parse: (text: string) => number | undefined): number => {
      const text = pax[key];
      const value = text === undefined ? written : parse(text);
      if (value === undefined)
        throw this.#invalid(`has an entry "${name}" whose pax record "${key}" is no number that can be handled`);
      return value;
    };
    const type = entryType(header.flag, name);
    const size = number("size", header.size, parseDecimal);
    const offset = this.#source.position;
    const stored = hasNoBody(type) ? 0 : size - (sparse?.mapSize ?? 0);
    const extents = sparse?.extents;
    if (sparse !== undefined && (type !== "file" || storedSize(sparse.extents) !== stored))
      throw this.#invalid(`has a sparse file "${name}" whose extents do not fit its body`);
    this.#bodyEnd = offset + stored;
    return {
      name,
      type,
      size: sparse?.size ?? stored,
      stored,
      ...(extents === undefined ? {} : { extents }),
      linkName: this.#one("linkpath", pax, found.linkName) ?? header.linkName,
      mode: header.mode & 0o7777,
      uid: number("uid", header.uid, parseDecimal),
      gid: number("gid", header.gid, parseDecimal),
      uname: pax["uname"] ?? header.uname,
      gname: pax["gname"] ?? header.gname,
      mtime: number("mtime", header.mtime, parseSeconds),
      deviceMajor: header.deviceMajor,
      deviceMinor: header.deviceMinor,
      pax,
      start: found.start,
      offset,
    };
  }

  /** A name from a pax record or a GNU header. Readers disagree which of two wins, so there may not be two. */
  #one(key: string, pax: Readonly<Record<string, string>>, gnu: string | undefined): string | undefined {
    const posix = pax[key];
    if (posix !== undefined && gnu !== undefined && posix !== gnu)
      throw this.#invalid(`has an entry with two names: "${posix}" and "${gnu}"`);
    return posix ?? gnu;
  }

  #after(): string {
    return this.#last === "" ? "before the first entry" : `after entry "${this.#last}"`;
  }

  #truncated(): DrayError {
    const what = this.#last === "" ? "is truncated, or no archive at all" : "is truncated";
    return this.#invalid(`${what}: it ends in the middle of a header, ${this.#after()}`);
  }

  #invalid(fault: string): DrayError {
    return new DrayError("ARCHIVE_INVALID", `${this.#what} ${fault}`);
  }
}
