import { availableParallelism } from "node:os";
import { type Digest, type DigestAlgorithm, digester } from "../oci/index.ts";
import { blockSize, giveBlock, takeBlock } from "./blocks.ts";
import type { AsyncDigester } from "./digester.ts";
import { errorOf } from "./failure.ts";
import type { FilePart, FromWorker } from "./messages.ts";
import { type HashJob, type HashPlace, type HashPool, hashPool } from "./pool.ts";

/** A second core has to be there, or a thread only adds its own cost. */
export const threadsHelp: boolean = availableParallelism() > 1;

/** Bytes of one hash that are with the thread at most: some in work, some waiting, some on the way. More were no faster. */
const inFlight = 1536 * 1024;
/** Smaller chunks are copied together: each buffer that travels costs the same. */
const worthItsWay = 16 * 1024;

/** A hash in another thread, which can write what it hashes. */
export interface ThreadedDigester extends AsyncDigester {
  /** From now on all that is added is written too, to the file of this number, from this position on. It stays open until `end`. */
  writeTo(to: FilePart): void;
  /** Resolves when all is hashed and written, or nothing will be any more. @throws the system's error */
  end(): Promise<void>;
}

export const hashInThread = (algorithm: DigestAlgorithm): ThreadedDigester => new Threaded(hashPool, algorithm);

/** A hash in a thread that looks inside, too: at what the bytes are without their compression. */
export interface InsideDigester extends AsyncDigester {
  /** The digest of the inside, after `digest`. */
  inside(): Digest;
}

/** A hash in a thread of another kind, whose file computes both. */
export const hashInsideInThread = (
  pool: HashPool,
  algorithm: DigestAlgorithm,
  inside: DigestAlgorithm,
): InsideDigester => new Threaded(pool, algorithm, inside);

class Threaded implements ThreadedDigester, InsideDigester, HashJob {
  readonly #pool: HashPool;
  readonly #algorithm: DigestAlgorithm;
  readonly #insideAlgorithm: DigestAlgorithm | undefined;
  #place: HashPlace | undefined;
  #to: FilePart | undefined;
  /** What goes out next, and the bytes of it; behind it lies the block that is being filled. */
  #parts: Uint8Array<ArrayBuffer>[] = [];
  #held = 0;
  #block: Uint8Array<ArrayBuffer> | undefined;
  #filled = 0;
  #away = 0;
  #failure: Error | undefined;
  #digest: Digest | undefined;
  #inside: Digest | undefined;
  /** The last step went out. */
  #ending = false;
  /** Nothing is with the thread any more, nor will be. */
  #over = false;
  #wake: (() => void) | undefined;

  constructor(pool: HashPool, algorithm: DigestAlgorithm, insideAlgorithm?: DigestAlgorithm) {
    this.#pool = pool;
    this.#algorithm = algorithm;
    this.#insideAlgorithm = insideAlgorithm;
  }

  async update(chunk: Uint8Array): Promise<void> {
    for (let at = 0; at < chunk.byteLength; ) {
      await this.#room();
      this.#block ??= takeBlock();
      const part = chunk.subarray(at, at + blockSize - this.#filled);
      this.#block.set(part, this.#filled);
      this.#filled += part.byteLength;
      at += part.byteLength;
      if (this.#filled === blockSize) this.#seal();
      if (this.#held >= blockSize) this.#send(false);
    }
  }

  async give(chunk: Uint8Array<ArrayBuffer>): Promise<void> {
    if (chunk.byteLength < worthItsWay) {
      await this.update(chunk);
      chunk.buffer.transfer(0);
      return;
    }
    await this.#room();
    this.#seal();
    this.#parts.push(chunk);
    this.#held += chunk.byteLength;
    if (this.#held >= blockSize) this.#send(false);
  }

  writeTo(to: FilePart): void {
    this.#seal();
    if (this.#held > 0) this.#send(false);
    this.#to = to;
  }

  async end(): Promise<void> {
    this.#seal();
    if (!this.#ending && (this.#held > 0 || this.#place !== undefined || this.#insideAlgorithm !== undefined)) {
      this.#ending = true;
      if (!this.#over) this.#send(true);
    }
    while (this.#ending && !this.#over) await this.#answer();
    this.#throwFailure();
  }

  async digest(): Promise<Digest> {
    // Less than a block in all: not worth the way.
    const few = this.#place === undefined && this.#to === undefined && this.#insideAlgorithm === undefined;
    if (few && this.#failure === undefined) return this.#inPlace();
    await this.end();
    return this.#digest ?? this.#inPlace();
  }

  inside(): Digest {
    if (this.#inside === undefined) throw new Error("nobody has looked inside");
    return this.#inside;
  }

  abandon(): void {
    if (!this.#ending) this.#place?.send({ id: this.#place.id, abandoned: true }, []);
    this.#leave();
  }

  answered({ bytes, blocks, digest, inside, failure, last }: FromWorker): void {
    this.#away -= bytes;
    for (const block of blocks) giveBlock(block);
    if (failure !== undefined) this.#failure ??= errorOf(failure);
    if (last) {
      this.#digest = digest;
      this.#inside = inside;
      this.#over = true;
      this.#leave();
    }
    this.#wake?.();
  }

  failed(error: Error): void {
    this.#failure ??= error;
    this.#over = true;
    this.#wake?.();
  }

  #inPlace(): Digest {
    const hash = digester(this.#algorithm);
    this.#seal();
    for (const part of this.#parts) hash.update(part);
    return hash.digest();
  }

  /** Ends the block that is being filled. */
  #seal(): void {
    if (this.#block === undefined) return;
    this.#parts.push(this.#block.subarray(0, this.#filled));
    this.#held += this.#filled;
    this.#block = undefined;
    this.#filled = 0;
  }

  async #room(): Promise<void> {
    this.#throwFailure();
    while (this.#away >= inFlight) {
      await this.#answer();
      this.#throwFailure();
    }
  }

  #send(last: boolean): void {
    this.#place ??= this.#pool.join(this);
    const [parts, held, to] = [this.#parts, this.#held, this.#to];
    this.#parts = [];
    this.#held = 0;
    this.#away += held;
    if (to !== undefined) this.#to = { fd: to.fd, position: to.position + held };
    this.#place.send(
      { id: this.#place.id, algorithm: this.#algorithm, inside: this.#insideAlgorithm, parts, to, last },
      parts.map(({ buffer }) => buffer),
    );
  }

  async #answer(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    this.#wake = undefined;
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }

  #leave(): void {
    this.#place?.leave();
    this.#place = undefined;
  }
}
