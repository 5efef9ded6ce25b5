import { createHash } from "node:crypto";
import type { Content } from "dray/content";
import { algorithmOf, type Digest, type DigestAlgorithm, type Digester, digester } from "dray/oci";
import type { StoredBlob } from "./state.ts";

/** An upload on its way: kept in memory, or only hashed. */
export class UploadSession {
  readonly id: string;
  readonly repository: string;
  /** Opaque text in the query of `Location`: a client that loses it loses the session. */
  readonly state: string;
  size = 0;
  /** Bytes of the last chunk, which ends the upload if it was shorter than the least. */
  lastChunk: number | undefined;
  readonly #parts: Uint8Array[] | undefined;
  readonly #hashes: ReadonlyMap<DigestAlgorithm, Digester> | undefined;

  constructor(id: string, repository: string, { sink, algorithm }: { sink: boolean; algorithm?: DigestAlgorithm }) {
    this.id = id;
    this.repository = repository;
    this.state = createHash("sha256").update(id).digest("base64url").slice(0, 16);
    // Where nothing is kept the hash must run from the first byte; sha512 only for whoever announced it.
    if (sink) this.#hashes = new Map([[algorithm ?? "sha256", digester(algorithm)]]);
    else this.#parts = [];
  }

  append(chunk: Uint8Array): void {
    this.size += chunk.byteLength;
    // A copy: an in-process client may use its buffer again, or transfer it away.
    this.#parts?.push(chunk.slice());
    if (this.#hashes) for (const hash of this.#hashes.values()) hash.update(chunk);
  }

  /** Ends the upload: the blob, if the bytes have that digest. */
  commit(digest: Digest): StoredBlob | undefined {
    const hash = this.#hashes === undefined ? digester(algorithmOf(digest)) : this.#hashes.get(algorithmOf(digest));
    for (const part of this.#parts ?? []) hash?.update(part);
    if (hash?.digest() !== digest) return undefined;
    return { size: this.size, content: this.#parts && partsContent(this.#parts, this.size) };
  }
}

const sliceSize = 256 * 1024;

/** Content that lies in memory in parts. What is given out is a copy: a reader may transfer it away. */
export const partsContent = (parts: readonly Uint8Array[], size: number): Content => ({
  size,
  async *open({ offset = 0, signal } = {}) {
    let start = 0;
    for (const part of parts) {
      for (let at = Math.max(0, offset - start); at < part.byteLength; at += sliceSize) {
        signal?.throwIfAborted();
        yield part.slice(at, at + sliceSize);
      }
      start += part.byteLength;
    }
  },
});
