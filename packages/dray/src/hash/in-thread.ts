import { availableParallelism } from "node:os";
import { type Digest, type DigestAlgorithm, digester } from "../oci/index.ts";
import { blockSize, giveBlock, takeBlock } from "./blocks.ts";
import type { AsyncDigester } from "./digester.ts";
import type { FromWorker } from "./messages.ts";
import { type HashJob, type HashPlace, joinPool } from "./pool.ts";

/** A second core has to be there, or a thread only adds its own cost. */
export const threadsHelp: boolean = availableParallelism() > 1;

/** Blocks of one hash that are with the thread at most: one in work, one waiting, one on the way. More were no faster. */
const inFlight = 3;

/** A hash in another thread. Its bytes are copied into blocks, which are transferred there and back. */
export const hashInThread = (algorithm: DigestAlgorithm): AsyncDigester => new ThreadedDigester(algorithm);

class ThreadedDigester implements AsyncDigester, HashJob {
  readonly #algorithm: DigestAlgorithm;
  #place: HashPlace | undefined;
  #block: Uint8Array<ArrayBuffer> | undefined;
  #filled = 0;
  #away = 0;
  #failure: Error | undefined;
  #digest: Digest | undefined;
  #wake: (() => void) | undefined;

  constructor(algorithm: DigestAlgorithm) {
    this.#algorithm = algorithm;
  }

  async update(chunk: Uint8Array): Promise<void> {
    for (let at = 0; at < chunk.byteLength; ) {
      const block = await this.#room();
      const part = chunk.subarray(at, at + blockSize - this.#filled);
      block.set(part, this.#filled);
      at += part.byteLength;
      this.#filled += part.byteLength;
      if (this.#filled === blockSize) this.#send(block, false);
    }
  }

  async digest(): Promise<Digest> {
    // Less than a block in all: not worth the way.
    if (this.#place === undefined) return this.#inPlace();
    this.#send((await this.#room()).subarray(0, this.#filled), true);
    while (this.#digest === undefined) await this.#answer();
    return this.#digest;
  }

  abandon(): void {
    this.#place?.send({ id: this.#place.id, abandoned: true }, []);
    this.#leave();
  }

  answered({ buffer, digest }: FromWorker): void {
    this.#away--;
    giveBlock(buffer);
    if (digest !== undefined) {
      this.#digest = digest;
      this.#leave();
    }
    this.#wake?.();
  }

  failed(error: Error): void {
    this.#failure = error;
    this.#wake?.();
  }

  #inPlace(): Digest {
    const hash = digester(this.#algorithm);
    if (this.#block !== undefined) hash.update(this.#block.subarray(0, this.#filled));
    return hash.digest();
  }

  async #room(): Promise<Uint8Array<ArrayBuffer>> {
    if (this.#block !== undefined) return this.#block;
    while (this.#away >= inFlight) await this.#answer();
    this.#filled = 0;
    this.#block = takeBlock();
    return this.#block;
  }

  #send(block: Uint8Array<ArrayBuffer>, last: boolean): void {
    this.#place ??= joinPool(this);
    this.#block = undefined;
    this.#away++;
    this.#place.send({ id: this.#place.id, algorithm: this.#algorithm, block, last }, [block.buffer]);
  }

  async #answer(): Promise<void> {
    this.#throwFailure();
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    this.#wake = undefined;
    this.#throwFailure();
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }

  #leave(): void {
    this.#place?.leave();
    this.#place = undefined;
  }
}
