import type { Held, Share } from "@dray/service/memory";
import type { AppendFile } from "dray/internal/files";
import { type Digest, type DigestAlgorithm, digester } from "dray/oci";
import type { Driver } from "../storage/index.ts";

/** Content up to this size may wait in memory for its end, and is hashed where it is. */
export const mostHeld: number = 64 * 1024;

/**
 * The bytes of an upload: the beginning in memory, so that little content needs no file of its own, all of it in a file once it
 * grows or is to last. The caller does one thing after the other.
 */
export class UploadBuffer {
  readonly #driver: Driver;
  readonly #beginnings: Share;
  readonly #path: string;
  readonly #algorithm: DigestAlgorithm;
  #held: Uint8Array[] = [];
  #heldSize = 0;
  #counted: Held | undefined;
  /** Where everything is, once it is open: what is appended here is taken, too. */
  file: AppendFile | undefined;
  #hasFile: boolean;
  /** Bytes that are written. */
  #size: number;

  /** @param there bytes of the file, where there is one */
  constructor(
    { driver, beginnings }: { readonly driver: Driver; readonly beginnings: Share },
    path: string,
    algorithm: DigestAlgorithm,
    there: number | undefined,
  ) {
    this.#driver = driver;
    this.#beginnings = beginnings;
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

  /** Whether a chunk would stay in memory: it is small, and others have room. */
  holds({ byteLength }: Uint8Array): boolean {
    return !this.#hasFile && this.#heldSize + byteLength <= mostHeld && this.#beginnings.fits(byteLength);
  }

  /** Takes a chunk, which stays the caller's own once this resolves. */
  async put(chunk: Uint8Array): Promise<void> {
    if (this.holds(chunk)) {
      this.#held.push(new Uint8Array(chunk));
      this.#count(this.#heldSize + chunk.byteLength);
      return;
    }
    await this.#spill(chunk);
  }

  /** Brings everything into the file; tells the size then. After a failure that is what the file had before. */
  async settle(): Promise<number> {
    if (this.#heldSize === 0 && this.file === undefined) return this.#size;
    const file = await this.#spill();
    try {
      await file.flush();
    } catch (error) {
      // What a client was told of stays. If it cannot be cut back either, nothing more is taken until it was.
      await file.truncate(file.size).catch(() => {});
      throw error;
    } finally {
      this.#size = file.size;
    }
    return this.#size;
  }

  /** Goes back to a size it had, and forgets what came behind it. */
  async cutBack(size: number): Promise<void> {
    if (!this.#hasFile) {
      this.#held = [this.whole().slice(0, size)];
      this.#count(size);
      return;
    }
    await this.settle();
    const file = await this.open();
    await file.truncate(size);
    this.#size = size;
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
    if (this.file === undefined) {
      // Whatever fails from here on may leave a file.
      this.#hasFile = true;
      this.file = await this.#driver.receive(this.#path, this.#algorithm);
      this.#size = this.file.size;
    }
    return this.file;
  }

  /** Lets go of the file, with all that came in it. Without one, nothing happens. */
  async shut(): Promise<void> {
    const file = this.file;
    if (file === undefined) return;
    try {
      await this.settle();
    } finally {
      this.file = undefined;
      await file.close();
    }
  }

  /** Lets go of what is in memory. */
  forget(): void {
    this.#held = [];
    this.#count(0);
  }

  #count(size: number): void {
    this.#heldSize = size;
    this.#counted?.free();
    this.#counted = size === 0 ? undefined : this.#beginnings.hold(size);
  }

  /** Opens the file, with what was held in its beginning and this behind it. If that fails, what was held is lost. */
  async #spill(chunk?: Uint8Array): Promise<AppendFile> {
    const bytes = chunk === undefined ? this.#held : [...this.#held, chunk];
    this.forget();
    const file = await this.open();
    const [first] = bytes;
    // At once, so that it is known where so many are written best.
    if (first !== undefined) await file.append(bytes.length === 1 ? first : Buffer.concat(bytes));
    return file;
  }
}
