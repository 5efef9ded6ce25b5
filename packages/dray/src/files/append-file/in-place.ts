import { setImmediate as nextTurn } from "node:timers/promises";
import { throwIfAborted } from "../../errors.ts";
import { type AsyncDigester, pieceAt } from "../../hash/index.ts";
import { type Digest, type DigestAlgorithm, type Digester, digester } from "../../oci/index.ts";
import { type Block, BlockFeed, blockSize, giveBlock, takeBlock } from "../../threads/index.ts";
import type { OpenFile } from "../file-system.ts";

/** What can grow: a file that is open for reading and writing, or something like it. */
export type AppendTarget = Pick<OpenFile, "fd" | "read" | "write" | "truncate" | "sync" | "close"> & {
  stat(): Promise<{ readonly size: number }>;
};

/** Bytes hashed or written at most before other work has its turn. */
const largestTurn = 1024 * 1024;

/**
 * Writes and hashes on the thread that calls: one block is written while it is hashed and the next fills. Never are two writes on
 * their way: whatever kills the process, the file holds a beginning of the content without holes.
 */
export class InPlace extends BlockFeed implements AsyncDigester {
  readonly #file: AppendTarget;
  readonly #explain: (error: unknown) => unknown;
  readonly #hash: Digester | undefined;
  #position: number;
  #writing: Promise<void> = Promise.resolve();
  #failed = false;
  #sinceTurn = 0;
  /** Nothing is lost with a thread that was never there. */
  readonly isLost = false;

  /** @param position where the next byte goes */
  constructor(
    file: AppendTarget,
    position: number,
    algorithm: DigestAlgorithm | undefined,
    explain: (error: unknown) => unknown,
  ) {
    super(blockSize / 2 + pieceAt(position));
    this.#file = file;
    this.#position = position;
    this.#explain = explain;
    this.#hash = algorithm === undefined ? undefined : digester(algorithm);
  }

  protected hand(block: Block, length: number): void {
    this.#writing = this.#writing.then(() => this.#take(block, length));
  }

  /** Hashes the bytes before the position, before any others. Tells how many there were. */
  async read(there: number, signal?: AbortSignal): Promise<number> {
    const from = this.#position - there;
    const block = takeBlock();
    try {
      for (let at = 0; at < there; ) {
        throwIfAborted(signal);
        const { bytesRead } = await this.#file.read(block.bytes, 0, Math.min(blockSize, there - at), from + at);
        if (bytesRead === 0) return at;
        await this.#add(block.bytes.subarray(0, bytesRead));
        at += bytesRead;
      }
      return there;
    } finally {
      giveBlock(block);
    }
  }

  async digest(): Promise<Digest> {
    await this.flush();
    if (this.#hash === undefined) throw new Error("nobody has asked for a digest");
    return this.#hash.digest();
  }

  abandon(): void {
    this.drop();
  }

  /** Never rejects: what went wrong is told by the feed. */
  async #take(block: Block, length: number): Promise<void> {
    try {
      // Behind a write that failed there would be a gap.
      if (!this.#failed) await this.#write(block.bytes.subarray(0, length));
    } catch (error) {
      this.#failed = true;
      this.fail(this.#explain(error));
    }
    this.done();
  }

  async #write(bytes: Uint8Array): Promise<void> {
    const writing = this.#writeAll(bytes);
    // Awaited below; a failure that comes before is not unhandled.
    writing.catch(() => {});
    await this.#add(bytes);
    await writing;
  }

  async #writeAll(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.byteLength; ) {
      const length = Math.min(pieceAt(this.#position), bytes.byteLength - at);
      const { bytesWritten } = await this.#file.write(bytes, at, length, this.#position);
      // A file that takes nothing and reports no error would keep us here for ever.
      if (bytesWritten <= 0) throw Object.assign(new Error("the file takes no more bytes"), { code: "ENOSPC" });
      at += bytesWritten;
      this.#position += bytesWritten;
    }
  }

  async #add(bytes: Uint8Array): Promise<void> {
    this.#hash?.update(bytes);
    this.#sinceTurn += bytes.byteLength;
    if (this.#sinceTurn < largestTurn) return;
    // Chunks and writes in memory resolve without leaving this turn of the event loop: timers and sockets would starve.
    this.#sinceTurn = 0;
    await nextTurn();
  }
}
