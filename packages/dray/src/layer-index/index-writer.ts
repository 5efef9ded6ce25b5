import { promisify } from "node:util";
import { deflateRaw } from "node:zlib";
import { Mutex } from "../async/index.ts";
import type { NewIndex } from "../content/index.ts";
import { sha256 } from "./block-digests.ts";
import { type IndexFacts, writeEnd } from "./index-format.ts";

const deflate = promisify(deflateRaw) as (bytes: Uint8Array) => Promise<Uint8Array>;

/** Writes an index from its beginning to its end. Of a piece nothing stays in memory but its size and its digest. */
export class IndexWriter {
  readonly #begin: () => Promise<NewIndex | undefined>;
  readonly #turns = new Mutex("the index");
  readonly #pieces: number[] = [];
  readonly #digests: Uint8Array[] = [];
  #file: Promise<NewIndex | undefined> | undefined;
  #isOver = false;

  /** @param begin opens the file, when there is something to be written */
  constructor(begin: () => Promise<NewIndex | undefined>) {
    this.#begin = begin;
  }

  /** Adds a piece. Tells its number; several may be asked for at a time. */
  piece(bytes: Uint8Array): Promise<number> {
    return this.#turns.run(async () => {
      const compressed = await deflate(bytes);
      await this.#write(compressed);
      this.#digests.push(sha256(compressed));
      return this.#pieces.push(compressed.byteLength) - 1;
    });
  }

  /** Ends it well: from now on it is seen. */
  end(facts: Omit<IndexFacts, "pieces">, blockDigests: Uint8Array): Promise<void> {
    return this.#turns.run(async () => {
      const pieceDigests = Buffer.concat(this.#digests);
      await this.#write(writeEnd({ facts: { ...facts, pieces: this.#pieces }, blockDigests, pieceDigests }));
      await this.#close(true);
    });
  }

  /** Throws away what was not ended. */
  abandon(): Promise<void> {
    return this.#turns.run(() => this.#close(false));
  }

  async #close(isWhole: boolean): Promise<void> {
    this.#isOver = true;
    const file = await this.#file;
    this.#file = undefined;
    await file?.end(isWhole);
  }

  async #write(bytes: Uint8Array): Promise<void> {
    // Somebody may still look on who has not heard of the end.
    if (this.#isOver) return;
    this.#file ??= this.#begin();
    await (await this.#file)?.write(bytes);
  }
}
