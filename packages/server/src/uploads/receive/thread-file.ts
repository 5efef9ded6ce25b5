import { DrayError } from "dray/errors";
import { diskError } from "dray/internal/files";
import type { Failure } from "dray/internal/hash";
import type { Digest, DigestAlgorithm } from "dray/oci";
import type { Block } from "./blocks.ts";
import type { HashedFileOptions } from "./hashed-file.ts";
import type { FileStep, FromReceiver } from "./messages.ts";
import { giveBlock, joinPool, type ReceiverJob, type ReceiverPlace } from "./pool.ts";

/** Blocks of one file that are with the thread at most: one in work, one waiting, one on the way. */
const inFlight = 3;
/** Blocks of all files together, beyond which each has only one. */
const inFlightTogether = 32;
let away = 0;

type Step = FileStep extends infer S ? (S extends { id: number } ? Omit<S, "id"> : never) : never;

/** A file that another thread hashes and writes. The caller does one thing after the other. */
export class ThreadFile implements ReceiverJob {
  readonly #path: string;
  readonly #place: ReceiverPlace;
  /** Those who wait for an answer, in the order of the steps. */
  readonly #waiting: { resolve: (answer: FromReceiver) => void; reject: (error: unknown) => void }[] = [];
  #away = 0;
  #size = 0;
  /** What became of blocks that nobody has asked about yet. */
  #failure: { readonly error: unknown } | undefined;
  #lost: Error | undefined;
  #wake: (() => void) | undefined;

  private constructor(path: string) {
    this.#path = path;
    this.#place = joinPool(this);
  }

  /** Opens a file, made if it is not there, and hashes what it has. */
  static async open(
    path: string,
    algorithm: DigestAlgorithm,
    { size, lasting = false }: HashedFileOptions,
  ): Promise<ThreadFile> {
    const file = new ThreadFile(path);
    try {
      await file.#ask({ kind: "open", path, algorithm, size, lasting }, "open");
      return file;
    } catch (error) {
      file.#place.leave();
      throw error;
    }
  }

  /** Bytes that are written. */
  get size(): number {
    return this.#size;
  }

  /** Whether its thread ended. Nothing can be done with it any more; the file is there, with more or less of what was sent. */
  get isLost(): boolean {
    return this.#lost !== undefined;
  }

  /** Whether all that was sent is written. */
  get isSettled(): boolean {
    return this.#away === 0 && this.#failure === undefined;
  }

  /** Hands over a block that is filled so far. Resolves when there is room for the next. */
  async send(block: Block, length: number): Promise<void> {
    this.#away++;
    away++;
    const memory = this.#lost === undefined ? this.#place.unseen(block) : undefined;
    this.#ask({ kind: "block", block: block.number, memory, length }, "write")
      .catch((error: unknown) => {
        this.#failure ??= { error };
      })
      .finally(() => {
        // A thread that was lost may be at it still.
        if (!this.isLost) giveBlock(block);
        this.#back();
      });
    while (this.#away >= (away >= inFlightTogether ? 1 : inFlight)) await this.#news();
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  /** Resolves when nothing is on its way any more. @throws what the first failed write threw; `cut` takes that back */
  async settle(): Promise<number> {
    while (this.#away > 0) await this.#news();
    if (this.#failure !== undefined) throw this.#failure.error;
    return this.#size;
  }

  async cut(size: number): Promise<void> {
    await this.#ask({ kind: "cut", size }, "write");
    this.#failure = undefined;
  }

  async digest(algorithm: DigestAlgorithm): Promise<Digest> {
    const { digest } = await this.#ask({ kind: "digest", algorithm }, "read");
    if (digest === undefined) throw new DrayError("DISK", `no digest of ${this.#path} came from its thread`);
    return digest;
  }

  async close(): Promise<void> {
    try {
      await this.#ask({ kind: "close" }, "write");
    } catch (error) {
      // With its thread the file was closed too.
      if (!this.isLost) throw error;
    } finally {
      this.#place.leave();
    }
  }

  answered(answer: FromReceiver): void {
    this.#size = answer.size;
    this.#waiting.shift()?.resolve(answer);
  }

  failed(cause: Error): void {
    const error = new DrayError("DISK", `cannot write ${this.#path}: ${cause.message}`, { cause, retryable: true });
    this.#lost = error;
    for (const { reject } of this.#waiting.splice(0)) reject(error);
  }

  async #ask(step: Step, doing: string): Promise<FromReceiver> {
    if (this.#lost !== undefined) throw this.#lost;
    const answer = await new Promise<FromReceiver>((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      const { id } = this.#place;
      this.#place.send({ ...step, id });
    });
    if (answer.failure !== undefined) throw errorOf(answer.failure, doing, this.#path);
    return answer;
  }

  #back(): void {
    this.#away--;
    away--;
    this.#wake?.();
  }

  async #news(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    this.#wake = undefined;
  }
}

/** The error that the thread met, with its code and remedy. */
const errorOf = ({ message, code }: Failure, doing: string, path: string): unknown =>
  code === undefined
    ? new DrayError("DISK", `cannot ${doing} ${path}: ${message}`)
    : diskError(Object.assign(new Error(message), { code }), doing, path);
