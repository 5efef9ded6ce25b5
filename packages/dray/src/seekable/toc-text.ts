import { promisify } from "node:util";
import { deflateRaw, inflateRaw } from "node:zlib";
import { type Digest, digester } from "../oci/index.ts";
import type { TocEntry } from "./toc.ts";

const deflate = promisify(deflateRaw) as (bytes: Uint8Array, options: { level: number }) => Promise<Uint8Array>;
const inflate = promisify(inflateRaw) as (bytes: Uint8Array) => Promise<Uint8Array>;

/** Characters that gather before they are put away. */
const pieceLength = 256 * 1024;

/**
 * The text of a table of contents while it grows. It comes last in the blob, behind a header that says its size, so it has to be kept:
 * compressed, because half a million files make 150 MB of it.
 */
export class TocText {
  readonly #pieces: Uint8Array[] = [];
  readonly #hash = digester("sha256");
  #text = '{"version":1,"entries":[';
  #isFirst = true;
  #size = 0;

  /** Adds an entry; wait for it before the next. */
  async add(entry: TocEntry): Promise<void> {
    this.#text += `${this.#isFirst ? "" : ","}\n${JSON.stringify(entry)}`;
    this.#isFirst = false;
    if (this.#text.length >= pieceLength) await this.#putAway();
  }

  /** Ends the text: nothing stands behind the last brace, because some readers hash no further. */
  async end(): Promise<{ readonly size: number; readonly digest: Digest; readonly chunks: AsyncIterable<Uint8Array> }> {
    this.#text += "]}";
    await this.#putAway();
    return { size: this.#size, digest: this.#hash.digest(), chunks: inflated(this.#pieces) };
  }

  async #putAway(): Promise<void> {
    const bytes = new TextEncoder().encode(this.#text);
    this.#text = "";
    this.#size += bytes.byteLength;
    this.#hash.update(bytes);
    // A copy: what zlib gives back lies in a buffer that is longer.
    this.#pieces.push(new Uint8Array(await deflate(bytes, { level: 1 })));
  }
}

async function* inflated(pieces: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  for (const piece of pieces) yield await inflate(piece);
}
