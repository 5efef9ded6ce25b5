import { type Digest, type DigestAlgorithm, digester } from "dray/oci";
import type { AppendFile, Driver } from "../storage/index.ts";

/** Content up to this size may wait in memory for its end, and is hashed where it is. */
export const mostHeld: number = 64 * 1024;

/**
 * The bytes of an upload: the beginning in memory, so that little content needs no file of its own, all of it in a file once it
 * grows or is to last. The caller does one thing after the other.
 */
export class UploadBuffer {
  readonly #driver: Driver;
  readonly #path: string;
  readonly #algorithm: DigestAlgorithm;
  #held: Uint8Array[] = [];
  #heldSize = 0;
  #receiver: AppendFile | undefined;
  #hasFile: boolean;
  /** Bytes that are written. */
  #size: number;

  /** @param there bytes of the file, where there is one */
  constructor(driver: Driver, path: string, algorithm: DigestAlgorithm, there: number | undefined) {
    this.#driver = driver;
    this.#path = path;
    this.#algorithm = algorithm;
    this.#hasFile = there !== undefined;
    this.#size = there ?? 0;
  }

  /** Bytes so far, without those that are on their way to the file. */
  get size(): number {
    return this.#size + this.#heldSize;
  }

  get hasFile(): boolean {
    return this.#hasFile;
  }

  /** Whether a chunk would stay in memory. */
  holds(chunk: Uint8Array): boolean {
    return !this.#hasFile && this.#heldSize + chunk.byteLength <= mostHeld;
  }

  /** Takes a chunk, which stays the caller's own once this resolves. */
  async put(chunk: Uint8Array): Promise<void> {
    if (this.holds(chunk)) {
      this.#held.push(new Uint8Array(chunk));
      this.#heldSize += chunk.byteLength;
      return;
    }
    const receiver = await this.#spill();
    await receiver.append(chunk);
  }

  /** Brings everything into the file; tells the size then. After a failure that is what the file had before. */
  async settle(): Promise<number> {
    if (this.#heldSize === 0 && this.#receiver === undefined) return this.#size;
    const receiver = await this.#spill();
    try {
      await receiver.drain();
    } finally {
      this.#size = receiver.size;
    }
    return this.#size;
  }

  async digest(algorithm: DigestAlgorithm): Promise<Digest> {
    if (this.#hasFile) {
      await this.settle();
      return (await this.open()).digest(algorithm);
    }
    const hash = digester(algorithm);
    for (const chunk of this.#held) hash.update(chunk);
    return hash.digest();
  }

  /** What is in memory; only where there is no file. */
  whole(): Uint8Array {
    const [first] = this.#held;
    return first !== undefined && this.#held.length === 1 ? first : Buffer.concat(this.#held);
  }

  /** Opens the file, made if it is not there, and hashes what it has. */
  async open(): Promise<AppendFile> {
    if (this.#receiver === undefined) {
      // Whatever fails from here on may leave a file.
      this.#hasFile = true;
      this.#receiver = await this.#driver.receive(this.#path, this.#algorithm);
      this.#size = this.#receiver.size;
    }
    return this.#receiver;
  }

  /** Lets go of the file, drained. Without one, nothing happens. */
  async shut(): Promise<void> {
    const receiver = this.#receiver;
    if (receiver === undefined) return;
    this.#receiver = undefined;
    try {
      await receiver.close();
    } finally {
      this.#size = receiver.size;
    }
  }

  /** Opens the file, with what was held in its beginning. If that fails, what was held is lost. */
  async #spill(): Promise<AppendFile> {
    const held = this.#held;
    this.#held = [];
    this.#heldSize = 0;
    const receiver = await this.open();
    for (const chunk of held) await receiver.append(chunk);
    return receiver;
  }
}
