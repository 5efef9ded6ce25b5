import { promisify } from "node:util";
import { inflateRaw } from "node:zlib";
import type { KeptIndex } from "../content/index.ts";
import type { Descriptor } from "../oci/index.ts";
import { digestSize, sha256 } from "./block-digests.ts";
import { entryOf, type KeptEntry } from "./entry-lines.ts";
import { endSize, footSize, type IndexFacts, readEnd } from "./index-format.ts";

const inflate = promisify(inflateRaw) as (bytes: Uint8Array) => Promise<Uint8Array>;

/** Bytes at the end of an index that are read first. */
const tailSize = 64 * 1024;

/** An index was changed since it was opened, or cannot be read any more. */
export class IndexLost extends Error {}

/** An index that was found: what it says, and its pieces, each compared with its digest when it is read. */
export class IndexReader {
  readonly facts: IndexFacts;
  readonly blockDigests: Uint8Array;
  readonly #kept: KeptIndex;
  readonly #pieceDigests: Uint8Array;
  readonly #starts: readonly number[];
  #current: { readonly piece: number; readonly lines: readonly string[] } | undefined;

  private constructor(kept: KeptIndex, { facts, blockDigests, pieceDigests }: NonNullable<ReturnType<typeof readEnd>>) {
    this.facts = facts;
    this.blockDigests = blockDigests;
    this.#kept = kept;
    this.#pieceDigests = pieceDigests;
    let at = 0;
    this.#starts = facts.pieces.map((size) => (at += size) - size);
  }

  /** `undefined` for what is damaged, of another version or of another blob. @throws DrayError `DISK` */
  static async open(kept: KeptIndex, blob: Descriptor): Promise<IndexReader | undefined> {
    const from = Math.max(0, kept.size - tailSize);
    const tail = await kept.read(from, kept.size - from);
    const size = endSize(tail.subarray(-footSize));
    if (size === undefined || size > kept.size) return undefined;
    const end = size <= tail.byteLength ? tail.subarray(-size) : await kept.read(kept.size - size, size);
    const said = readEnd(end);
    if (said === undefined || said.facts.digest !== blob.digest || said.facts.size !== blob.size) return undefined;
    const pieces = said.facts.pieces.reduce((sum, each) => sum + each, 0);
    return pieces + size === kept.size ? new IndexReader(kept, said) : undefined;
  }

  /** @throws IndexLost */
  async piece(number: number): Promise<Uint8Array> {
    const size = this.facts.pieces[number];
    if (size === undefined) throw new IndexLost();
    const bytes = await this.#kept.read(this.#starts[number] as number, size);
    const digest = this.#pieceDigests.subarray(number * digestSize, (number + 1) * digestSize);
    if (Buffer.compare(sha256(bytes), digest) !== 0) throw new IndexLost();
    return inflate(bytes);
  }

  /** In the order of the tar. @throws IndexLost */
  async *entries(): AsyncGenerator<KeptEntry> {
    for (const { piece } of this.facts.entries) for (const line of await this.#lines(piece)) yield entryOf(line);
  }

  /** The entry whose body begins at an offset. @throws IndexLost */
  async entryAt(offset: number): Promise<KeptEntry | undefined> {
    const found = this.facts.entries.findLast((each) => each.offset <= offset);
    for (const line of found === undefined ? [] : await this.#lines(found.piece)) {
      const entry = entryOf(line);
      if (entry.offset === offset) return entry;
    }
    return undefined;
  }

  async #lines(piece: number): Promise<readonly string[]> {
    if (this.#current?.piece !== piece) {
      const lines = new TextDecoder()
        .decode(await this.piece(piece))
        .trimEnd()
        .split("\n");
      this.#current = { piece, lines };
    }
    return this.#current.lines;
  }
}
