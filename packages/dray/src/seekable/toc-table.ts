import { promisify } from "node:util";
import { deflateRaw, inflateRaw } from "node:zlib";
import { DrayError } from "../errors.ts";
import type { TarEntry } from "../tar/index.ts";
import { jsonEntries } from "./json-entries.ts";
import { type Data, dataOf, number, TocOwners } from "./toc-entries.ts";

const deflate = promisify(deflateRaw) as (bytes: Uint8Array, options: { level: number }) => Promise<Uint8Array>;
const inflate = promisify(inflateRaw) as (bytes: Uint8Array) => Promise<Uint8Array>;

/** An entry of the table, known by its place in it. */
export interface TableEntry extends TarEntry {
  readonly place: number;
}

/** Lines of JSON: entries with the later parts of their files. */
interface Piece {
  readonly compressed: Uint8Array;
  /** The place of its first entry. */
  readonly first: number;
  /** Where the first data of it lies in the blob. */
  readonly offset: number | undefined;
}

/** Characters that make a piece, and bytes that all pieces have at most when they are compressed. */
const [pieceLength, mostBytes] = [256 * 1024, 128 * 1024 * 1024];

/** Characters of one file's parts at most: they are compared as a whole, and those of 500 GB take a quarter of it. */
const mostOfFile = 32 * 1024 * 1024;

/**
 * A table of contents, kept compressed: half a million files fit into 30 MB. It is read in pieces, each when something of it is asked for.
 */
export class TocTable {
  readonly #pieces: Piece[] = [];
  /** Where the data of all files ends. */
  readonly #end: number;
  #bytes = 0;
  #count = 0;
  #current: { readonly piece: Piece; readonly lines: readonly string[] } | undefined;

  private constructor(end: number) {
    this.#end = end;
  }

  /**
   * Takes in the text of a table, which is to be believed when it was checked to its end.
   * @param end where in the blob the data of all files ends
   * @throws DrayError `MANIFEST_INVALID`, `LIMIT_EXCEEDED`
   */
  static async read(text: AsyncIterable<Uint8Array>, end: number): Promise<TocTable> {
    const [table, owners] = [new TocTable(end), new TocOwners()];
    let [lines, first, offset]: [string, number, number | undefined] = ["", 0, undefined];
    /** An entry with the later parts of its file. */
    let group: Record<string, unknown>[] = [];
    const putAway = async (): Promise<void> => {
      if (lines !== "") await table.#add(lines, first, offset);
      [lines, first, offset] = ["", table.#count, undefined];
    };
    for await (const entry of jsonEntries(text)) {
      if (entry["type"] !== "chunk") {
        dataOf(group);
        group = [];
        // What no entry can be made of is found now, while all of the layer can still be read instead.
        owners.entry(entry);
        if (lines.length >= pieceLength) await putAway();
        table.#count++;
      }
      group.push(entry);
      if (hasData(entry)) {
        if (number(entry, "offset") >= end) throw behindAll(number(entry, "offset"));
        offset ??= number(entry, "offset");
      }
      lines += `${JSON.stringify(entry)}\n`;
      if (lines.length > mostOfFile)
        throw new DrayError("LIMIT_EXCEEDED", "the table of contents has a file of too many parts");
    }
    dataOf(group);
    await putAway();
    return table;
  }

  /** All entries, in their order. */
  async *entries(): AsyncGenerator<TableEntry> {
    const owners = new TocOwners();
    for (const piece of this.#pieces) {
      let place = piece.first;
      for (const line of await this.#lines(piece)) {
        const json = JSON.parse(line) as Record<string, unknown>;
        if (json["type"] !== "chunk") yield { ...owners.entry(json), place: place++ };
      }
    }
  }

  /** Where the bytes of the entry at a place are, and where something else begins; `undefined` for an empty file. */
  async data(place: number): Promise<(Data & { readonly end: number }) | undefined> {
    const index = this.#pieces.findLastIndex(({ first }) => first <= place);
    const piece = this.#pieces[index];
    if (piece === undefined) return undefined;
    const found: Record<string, unknown>[] = [];
    let at = piece.first - 1;
    let next: number | undefined;
    for (const line of await this.#lines(piece)) {
      if (!line.includes('"type":"chunk"') || (JSON.parse(line) as { type: string }).type !== "chunk") at++;
      if (at < place) continue;
      const json = JSON.parse(line) as Record<string, unknown>;
      if (at === place) found.push(json);
      else if (hasData(json) && number(json, "offset") > number(found.at(-1) ?? {}, "offset")) {
        next = number(json, "offset");
        break;
      }
    }
    const data = dataOf(found);
    if (data === undefined) return undefined;
    const last = number(found.at(-1) ?? {}, "offset");
    next ??= this.#pieces.slice(index + 1).find(({ offset }) => offset !== undefined && offset > last)?.offset;
    const end = data.end ?? next ?? this.#end;
    if (data.offset >= end || end > this.#end) throw behindAll(data.offset);
    return { ...data, end };
  }

  async #add(lines: string, first: number, offset: number | undefined): Promise<void> {
    // A copy: what zlib gives back lies in a buffer that is longer.
    const compressed = new Uint8Array(await deflate(new TextEncoder().encode(lines), { level: 1 }));
    this.#bytes += compressed.byteLength;
    if (this.#bytes > mostBytes)
      throw new DrayError("LIMIT_EXCEEDED", `the table of contents takes more than ${mostBytes} bytes`);
    this.#pieces.push({ compressed, first, offset });
  }

  async #lines(piece: Piece): Promise<readonly string[]> {
    if (this.#current?.piece !== piece) {
      const text = new TextDecoder().decode(await inflate(piece.compressed));
      this.#current = { piece, lines: text.trimEnd().split("\n") };
    }
    return this.#current.lines;
  }
}

const behindAll = (offset: number): DrayError =>
  new DrayError("MANIFEST_INVALID", `the table of contents has a file that lies behind all data, at byte ${offset}`);

const hasData = ({ type, size = 0 }: Readonly<Record<string, unknown>>): boolean =>
  type === "chunk" || (type === "reg" && size !== 0);
