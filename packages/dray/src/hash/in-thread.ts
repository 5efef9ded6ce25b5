import { availableParallelism } from "node:os";
import { throwIfAborted } from "../errors.ts";
import { type Digest, type DigestAlgorithm, digestOf } from "../oci/index.ts";
import { type Block, BlockFeed, blockSize, type Job, type Place, ThreadPool } from "../threads/index.ts";
import { hashScript } from "./hash.script.ts";
import type { AsyncDigester } from "./in-place.ts";
import { hashesFast } from "./speed.ts";
import { type FilePart, type HashAnswer, type HashStep, hashSteps, pieceAt } from "./steps.ts";

/** A second core has to be there, or a thread only adds its own cost. */
export const threadsHelp: boolean = availableParallelism() > 1;

/** Threads for one piece of work: where hashing is fast one less than cores, since this thread has as much to do. */
export const threadsBesideThis = (): number =>
  Math.min(4, Math.max(1, availableParallelism() - (hashesFast("sha256") ? 1 : 0)));

export type HashPool = ThreadPool<HashStep, HashAnswer>;

/** Threads that hash and write. */
const hashPool: HashPool = new ThreadPool({
  script: hashScript,
  inPlace: async () => hashSteps,
  most: threadsBesideThis,
});

/** Threads that hash and write for many at a time: one for each core. */
export const createHashPool = (): HashPool => new ThreadPool({ script: hashScript, inPlace: async () => hashSteps });

export interface ThreadedHashOptions {
  readonly algorithm: DigestAlgorithm;
  /** Also the digest of what it is without compression, in threads that do such. */
  readonly inside?: DigestAlgorithm;
  readonly pool?: HashPool | undefined;
  /** The content's place in a file, which stays open until `flush`: what is added is written there, behind the bytes that are `there`. */
  readonly to?: FilePart;
  readonly there?: number;
  /** What an error of the thread is to be called. */
  readonly explain?: (error: Error) => unknown;
}

/** Bytes read at once to be hashed; then other hashes of the thread have their turn. */
const readAtOnce = 1024 * 1024;

/** A hash in another thread, which can write what it hashes. */
export class ThreadedHash extends BlockFeed implements AsyncDigester, Job<HashAnswer> {
  readonly #options: ThreadedHashOptions;
  readonly #step: HashStep;
  /** Where the next block is written. */
  #position: number;
  #place: Place<HashStep, HashAnswer> | undefined;
  /** A thread knows of it, or knew. */
  #begun = false;
  /** Who waits for a step without a block; before it nothing is on its way. */
  #waiting: PromiseWithResolvers<HashAnswer> | undefined;
  #inside: Digest | undefined;
  /** Whether its thread ended while nothing was with it: it can do no more, and nothing is lost. */
  isLost = false;

  constructor(options: ThreadedHashOptions) {
    const { algorithm, inside, to, there = 0 } = options;
    const position = (to?.position ?? 0) + there;
    super(to === undefined ? blockSize : blockSize / 2 + pieceAt(position));
    this.#options = options;
    this.#step = { algorithm, inside };
    this.#position = position;
  }

  /** Adds the bytes that are there, before any others. Tells how many there were. */
  async read(signal?: AbortSignal): Promise<number> {
    const { to, there = 0 } = this.#options;
    let at = 0;
    while (to !== undefined && at < there) {
      throwIfAborted(signal);
      const length = Math.min(readAtOnce, there - at);
      const { read = 0 } = await this.#ask({ ...this.#step, from: { fd: to.fd, position: to.position + at, length } });
      if (read === 0) break;
      at += read;
    }
    return at;
  }

  async digest(): Promise<Digest> {
    const { algorithm, inside, to } = this.#options;
    // Less than a block in all: not worth the way.
    if (!this.#begun && to === undefined && inside === undefined) {
      const few = digestOf(this.rest, algorithm);
      this.drop();
      return few;
    }
    await this.flush();
    const answer = await this.#ask({ ...this.#step, digest: true }, true);
    this.#place = undefined;
    if (answer.digest === undefined) throw new Error("a thread answered without a digest");
    this.#inside = answer.inside;
    return answer.digest;
  }

  /** The digest of the inside, after `digest`. */
  inside(): Digest {
    if (this.#inside === undefined) throw new Error("nobody has looked inside");
    return this.#inside;
  }

  /** Lets go. Blocks that are with the thread come back all the same. */
  abandon(): void {
    this.drop();
    const place = this.#place;
    this.#place = undefined;
    place?.thread.ask(place.id, { ...this.#step, abandoned: true }, true);
  }

  answered(answer: HashAnswer): void {
    if (this.#waiting === undefined) this.done();
    else this.#waiting.resolve(answer);
  }

  refused(error: Error): void {
    const explained = this.#explained(error);
    if (this.#waiting !== undefined) return this.#waiting.reject(explained);
    this.fail(explained);
    this.done();
  }

  lost(error: Error): void {
    const explained = this.#explained(error);
    this.isLost = this.#waiting === undefined && this.isIdle && this.rest.byteLength === 0;
    this.#waiting?.reject(explained);
    this.lose(explained);
    this.#place = undefined;
  }

  #explained(error: Error): unknown {
    return this.#options.explain?.(error) ?? error;
  }

  protected hand(block: Block, length: number): void {
    const { to } = this.#options;
    const { thread, id } = (this.#place ??= this.#join());
    const step = to === undefined ? this.#step : { ...this.#step, to: { fd: to.fd, position: this.#position } };
    this.#position += length;
    thread.ask(id, step, false, block, length);
  }

  async #ask(step: HashStep, last = false): Promise<HashAnswer> {
    const { thread, id } = (this.#place ??= this.#join());
    this.#waiting = Promise.withResolvers();
    thread.ask(id, step, last);
    try {
      return await this.#waiting.promise;
    } finally {
      this.#waiting = undefined;
    }
  }

  #join(): Place<HashStep, HashAnswer> {
    this.#begun = true;
    return (this.#options.pool ?? hashPool).join(this);
  }
}
