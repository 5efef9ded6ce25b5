import { peeked } from "../compression/index.ts";
import type { Indexes } from "../content/index.ts";
import { isDrayError } from "../errors.ts";
import type { Compression, Descriptor } from "../oci/index.ts";
import type { StreamedEntry } from "../tar/index.ts";
import { BlockDigests } from "./block-digests.ts";
import { lineOf } from "./entry-lines.ts";
import { GzipScan, type RestartPoint, spanSize } from "./gzip-scan.ts";
import type { IndexFacts, KeptPoint } from "./index-format.ts";
import { IndexWriter } from "./index-writer.ts";

/** Characters of entries that make a piece. */
const pieceLength = 256 * 1024;

/**
 * Looks on while a layer is read to its end, and makes its index. It changes nothing of what it sees, and whatever goes wrong with it is nobody's
 * error: there is no index then. Memory is bounded but for 32 bytes of each 64 KiB.
 */
export class IndexMaking {
  readonly #blob: Descriptor;
  readonly #writer: IndexWriter;
  readonly #digests = new BlockDigests();
  readonly #points: KeptPoint[] = [];
  readonly #entries: { readonly piece: number; readonly offset: number }[] = [];
  #scan: GzipScan | undefined;
  #compression: Compression = "none";
  #plainSize = 0;
  #lines = "";
  #firstOffset = 0;
  #isGivenUp = false;

  constructor(blob: Descriptor, indexes: Indexes) {
    this.#blob = blob;
    this.#writer = new IndexWriter(() => indexes.begin(blob));
  }

  /** The bytes of the layer as they lie. */
  async *stored(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    const { compression, whole } = await peeked(chunks);
    this.#compression = compression;
    await this.#try(() => {
      if (compression === "gzip") this.#scan = new GzipScan();
      else if (compression !== "none") this.#isGivenUp = true;
    });
    for await (const chunk of whole) {
      await this.#try(async () => {
        this.#digests.add(chunk);
        for (const point of this.#scan?.push(chunk) ?? []) await this.#add(point);
      });
      yield chunk;
    }
  }

  /** The tar in it. */
  async *plain(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const chunk of chunks) {
      this.#plainSize += chunk.byteLength;
      yield chunk;
    }
  }

  async entry(entry: StreamedEntry): Promise<void> {
    if (this.#isGivenUp) return;
    if (this.#lines === "") this.#firstOffset = entry.offset;
    this.#lines += lineOf(entry);
    if (this.#lines.length >= pieceLength) await this.#try(() => this.#putAway());
  }

  /** The layer was read to its end, and is what its digest says. */
  async end(): Promise<void> {
    await this.#try(async () => {
      for (const point of this.#scan?.end() ?? []) await this.#add(point);
      // What was made of it elsewhere is what counts. And of less than a span there are no parts.
      if (this.#scan !== undefined && this.#scan.plainSize !== this.#plainSize) return;
      if (this.#plainSize < spanSize) return;
      await this.#putAway();
      await this.#writer.end(this.#facts(), this.#digests.end());
    });
  }

  /** Lets go of what was not ended. */
  async abandon(): Promise<void> {
    this.#isGivenUp = true;
    await this.#writer.abandon();
  }

  #facts(): Omit<IndexFacts, "pieces"> {
    return {
      digest: this.#blob.digest,
      size: this.#blob.size,
      compression: this.#compression === "gzip" ? "gzip" : "none",
      plainSize: this.#plainSize,
      members: this.#scan?.members ?? [],
      points: this.#points,
      entries: this.#entries,
    };
  }

  async #add({ bits, bytes, window }: RestartPoint): Promise<void> {
    const piece = window.byteLength === 0 ? undefined : await this.#writer.piece(window);
    this.#points.push({ bits, bytes, piece });
  }

  async #putAway(): Promise<void> {
    if (this.#lines === "") return;
    const [lines, offset] = [this.#lines, this.#firstOffset];
    this.#lines = "";
    this.#entries.push({ piece: await this.#writer.piece(new TextEncoder().encode(lines)), offset });
  }

  /** Does something for the index, unless that was given up; it is, where this fails. */
  async #try(work: () => void | Promise<void>): Promise<void> {
    if (this.#isGivenUp) return;
    try {
      await work();
    } catch (error) {
      this.#isGivenUp = true;
      // Anything else is a mistake of ours, and is to be seen.
      if (!isDrayError(error)) throw error;
    }
  }
}
