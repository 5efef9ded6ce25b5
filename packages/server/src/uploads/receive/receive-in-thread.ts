import { stat } from "node:fs/promises";
import { Mutex } from "dray/internal/async";
import { errnoOf, nodeFiles, onDisk } from "dray/internal/files";
import type { Digest, DigestAlgorithm } from "dray/oci";
import { receiver } from "../../storage/append-file.ts";
import type { AppendFile, ReceiveOptions } from "../../storage/driver.ts";
import { fileSink } from "../../storage/file-sink.ts";
import { type Block, blockSize, takeBlock } from "./blocks.ts";
import { giveBlock } from "./pool.ts";
import { ThreadFile } from "./thread-file.ts";

/** Up to this size a file is hashed and written where the bytes are: the way to a thread costs more. */
const mostInPlace = 64 * 1024;

/**
 * Receives into a file that another thread hashes and writes, once it is large enough to be worth the way. For
 * `filesystemDriver({receive})`; the folder is there.
 */
export const receiveInThread = async (
  path: string,
  algorithm: DigestAlgorithm,
  { fresh = false, durable: lasting = false }: Partial<ReceiveOptions> = {},
): Promise<AppendFile> => {
  const receiving = new Receiving(path, algorithm, lasting);
  await receiving.open(fresh);
  return receiving;
};

class Receiving implements AppendFile {
  readonly #path: string;
  readonly #algorithm: DigestAlgorithm;
  readonly #lasting: boolean;
  /** Where the bytes go: to neither before there are any, to the first while they are few. */
  #inPlace: AppendFile | undefined;
  #thread: ThreadFile | undefined;
  #told: number | undefined;
  #block: Block | undefined;
  #filled = 0;
  /** Of the last append; kept until `drain` has told it. */
  #failure: { readonly error: unknown } | undefined;
  readonly #turns = new Mutex("the receiver");

  constructor(path: string, algorithm: DigestAlgorithm, lasting: boolean) {
    this.#path = path;
    this.#algorithm = algorithm;
    this.#lasting = lasting;
  }

  get size(): number {
    return this.#told ?? 0;
  }

  /** Looks at what is there, and hashes it. */
  async open(fresh: boolean): Promise<void> {
    const there = fresh ? 0 : await onDisk("read", this.#path, () => sizeOf(this.#path));
    if (there > 0) await this.#reach(there);
    else this.#told = 0;
  }

  append(chunk: Uint8Array): Promise<void> {
    return this.#turns.run(() => this.#append(chunk));
  }

  drain(): Promise<number> {
    return this.#turns.run(() => this.#drain());
  }

  digest(algorithm: DigestAlgorithm): Promise<Digest> {
    return this.#turns.run(async () => {
      const size = await this.#drain();
      return (await this.#reach(size)).digest(algorithm);
    });
  }

  close(): Promise<void> {
    return this.#turns.close(() => this.#close());
  }

  async #append(chunk: Uint8Array): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure.error;
    try {
      for (let at = 0; at < chunk.byteLength; ) {
        this.#block ??= takeBlock();
        const part = chunk.subarray(at, at + blockSize - this.#filled);
        this.#block.bytes.set(part, this.#filled);
        this.#filled += part.byteLength;
        at += part.byteLength;
        if (this.#filled === blockSize) await this.#hand();
      }
    } catch (error) {
      this.#failure = { error };
      throw error;
    }
  }

  /** Sends on what is in the block. */
  async #hand(): Promise<void> {
    const [block, filled] = [this.#block, this.#filled];
    if (block === undefined) return;
    const target = await this.#reach(this.size + filled);
    this.#block = undefined;
    this.#filled = 0;
    if (target instanceof ThreadFile) return target.send(block, filled);
    await target.append(block.bytes.subarray(0, filled));
    giveBlock(block);
  }

  async #drain(): Promise<number> {
    try {
      if (this.#failure !== undefined) throw this.#failure.error;
      await this.#hand();
      this.#told = (await (this.#thread?.settle() ?? this.#inPlace?.drain())) ?? this.size;
    } catch (error) {
      await this.#cutBack();
      throw error;
    }
    return this.size;
  }

  /** Forgets what came after the last size told. If that fails too, whatever comes next rejects, and `drain` tries it again. */
  async #cutBack(): Promise<void> {
    if (this.#block !== undefined) giveBlock(this.#block);
    this.#block = undefined;
    this.#filled = 0;
    this.#failure = undefined;
    // One in place cuts itself back when it drains. What was lost with its thread is cut off when the file is opened again.
    await this.#inPlace?.drain().catch(() => {});
    try {
      await this.#thread?.settle().catch(() => {});
      await this.#thread?.cut(this.size);
    } catch (error) {
      if (this.#thread?.isLost === true) this.#thread = undefined;
      else this.#failure = { error };
    }
  }

  /** What takes bytes, if there are to be so many in all; opened, and hashed as far as it goes. */
  async #reach(size: number): Promise<AppendFile | ThreadFile> {
    if (this.#thread === undefined && size <= mostInPlace) {
      if (this.#inPlace === undefined) {
        const sink = await onDisk("open", this.#path, () => fileSink(nodeFiles, this.#path));
        this.#inPlace = await receiver(sink, this.#algorithm);
        this.#told ??= this.#inPlace.size;
      }
      return this.#inPlace;
    }
    const few = this.#inPlace;
    this.#inPlace = undefined;
    await few?.close();
    if (this.#thread?.isLost === true && this.#thread.isSettled && this.#thread.size === this.size)
      this.#thread = undefined;
    this.#thread ??= await ThreadFile.open(this.#path, this.#algorithm, { size: this.#told, lasting: this.#lasting });
    this.#told ??= this.#thread.size;
    return this.#thread;
  }

  async #close(): Promise<void> {
    try {
      await this.#drain();
      // A receiver leaves a file, also where nothing came.
      if (this.#thread === undefined) await this.#reach(this.size);
    } finally {
      await this.#inPlace?.close();
      await this.#thread?.close();
    }
  }
}

const sizeOf = async (path: string): Promise<number> => {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return 0;
    throw error;
  }
};
