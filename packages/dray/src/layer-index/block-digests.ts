import { createHash, type Hash } from "node:crypto";

/** Bytes of a blob that one digest stands for. */
export const blockSize: number = 64 * 1024;
/** Bytes of a digest. */
export const digestSize = 32;

/** The SHA-256 of each 64 KiB of a blob, which its own digest says nothing of. */
export class BlockDigests {
  #made = new Uint8Array(64 * digestSize);
  #size = 0;
  #hash: Hash | undefined;
  #filled = 0;

  add(chunk: Uint8Array): void {
    for (let rest = chunk; rest.byteLength > 0; ) {
      const part = rest.subarray(0, blockSize - this.#filled);
      this.#hash ??= createHash("sha256");
      this.#hash.update(part);
      this.#filled += part.byteLength;
      rest = rest.subarray(part.byteLength);
      if (this.#filled === blockSize) this.#putAway();
    }
  }

  /** All of them, one behind the other. */
  end(): Uint8Array {
    this.#putAway();
    return this.#made.subarray(0, this.#size);
  }

  #putAway(): void {
    if (this.#hash === undefined) return;
    if (this.#size === this.#made.byteLength) {
      const longer = new Uint8Array(2 * this.#size);
      longer.set(this.#made);
      this.#made = longer;
    }
    this.#made.set(this.#hash.digest(), this.#size);
    this.#size += digestSize;
    [this.#hash, this.#filled] = [undefined, 0];
  }
}

export const sha256 = (bytes: Uint8Array): Uint8Array => createHash("sha256").update(bytes).digest();
