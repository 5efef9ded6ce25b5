import { createHash, hash } from "node:crypto";
import { collect } from "../../content/index.ts";
import { copies, grown } from "../tree/index.ts";

/** Half of a SHA-256: these are in memory for each file, and nobody but its author would gain by two that are alike. */
const digestBytes = 16;

/** Up to here a file is hashed at once: a hash that takes pieces is an object of the system's library, of which a hundred thousand wait for the collector. */
const atOnce = 64 * 1024;

/** Digests of files by their records, sixteen bytes for each. */
export class FileDigests {
  #digests = new Uint8Array(0);
  #count = 0;

  /** What tells the content of a file from another's; `undefined` where it was not read. */
  get(record: number): string | undefined {
    if (record >= this.#count) return undefined;
    const digest = this.#digests.subarray(record * digestBytes, (record + 1) * digestBytes);
    return digest.every((byte) => byte === 0) ? undefined : Buffer.from(digest).toString("base64url");
  }

  /** Reads a file, whose chunks may be lent. */
  async read(record: number, size: number, body: AsyncIterable<Uint8Array>): Promise<void> {
    if (size <= atOnce) {
      // Most come in one chunk; a chunk is gone when the next one is asked for.
      this.put(record, await collect(copies(body), atOnce, "a file"));
      return;
    }
    const hashing = createHash("sha256");
    for await (const chunk of body) hashing.update(chunk);
    this.#set(record, hashing.digest());
  }

  /** Takes a file that was read already. */
  put(record: number, bytes: Uint8Array): void {
    this.#set(record, hash("sha256", bytes, "buffer"));
  }

  #set(record: number, digest: Uint8Array): void {
    this.#count = Math.max(this.#count, record + 1);
    this.#digests = grown(this.#digests, this.#count * digestBytes);
    this.#digests.set(digest.subarray(0, digestBytes), record * digestBytes);
  }
}
