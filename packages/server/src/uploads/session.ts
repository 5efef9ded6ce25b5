import type { Share } from "@dray/service/memory";
import { aborted, DrayError, isDrayError } from "dray/errors";
import type { Digest, DigestAlgorithm } from "dray/oci";
import { uploadData, uploadFolder } from "../distribution-tree/index.ts";
import type { Driver } from "../storage/index.ts";
import { type SessionFacts, writeSession } from "./stored.ts";
import { UploadBuffer } from "./upload-buffer.ts";
import { type Meter, Writer } from "./writer.ts";

/** What a session knows of where it lives. */
export interface UploadContext {
  readonly driver: Driver;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Milliseconds that go on evenly. */
  readonly elapsed: () => number;
  /** Milliseconds without a byte after which another writer takes over. */
  readonly silence: number;
  /** A request or bytes came. */
  readonly touched: (session: Session) => void;
  /** It is gone. */
  readonly ended: (session: Session) => void;
  /** The client that wrote to it vanished. */
  readonly left: (session: Session) => void;
  /** Memory of beginnings. */
  readonly beginnings: Share;
  /** What it leaves behind could not be removed. */
  readonly onRemains: (session: Session, error: unknown) => void;
}

type Take<T> = (path: string, options: { readonly alone: boolean }) => Promise<T>;

export interface AppendOptions {
  readonly at?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Bytes that this call may bring; more reject with `LIMIT_EXCEEDED`, and none of them stays. */
  readonly limit?: number | undefined;
  /** Counts them. */
  readonly meter?: Meter;
  /** `digest` and `finish` follow at once and nobody is told the offset: little content need not touch the disk. */
  readonly last?: boolean;
  /** A chunk that fills its buffer is the session's own, memory and all. */
  readonly releases?: boolean;
}

/** The client is not where the session is. */
export class OutOfOrder extends Error {
  readonly offset: number;

  constructor(offset: number) {
    super(`the upload stands at ${offset}`);
    this.offset = offset;
  }
}

/** A session as those see it who push. */
export type Upload = Pick<
  Session,
  "id" | "repository" | "offset" | "append" | "digest" | "content" | "finish" | "cancel"
>;

/**
 * One upload. One thing happens to it at a time; whoever meets a writer waits until that one is over, moves, or has been silent for
 * too long: a writer is never overtaken while its bytes come, and never waited for when they do not.
 */
export class Session {
  readonly id: string;
  readonly repository: string;
  readonly facts: SessionFacts;
  /** When anybody last asked for it, by what goes on evenly. */
  usedAt: number;
  /** When bytes last came; milliseconds since 1970. */
  addedAt: number;
  readonly #around: UploadContext;
  readonly #received: UploadBuffer;
  /** Whether a restart would find it. */
  #named: boolean;
  /** Naming it was begun. */
  #touched = false;
  #writer: Writer | undefined;
  #busy: Promise<void> | undefined;
  /** The size whose digest was told. */
  #told: number | undefined;
  #ended: Error | undefined;

  /** @param there what the tree has of it, where it is not new */
  constructor(
    { repository, id }: { readonly repository: string; readonly id: string },
    facts: SessionFacts,
    around: UploadContext,
    there?: { readonly size: number | undefined; readonly addedAt: number },
  ) {
    this.id = id;
    this.repository = repository;
    this.facts = facts;
    this.#around = around;
    const { driver, beginnings } = around;
    this.#received = new UploadBuffer({ driver, beginnings }, uploadData(repository, id), facts.algorithm, there?.size);
    this.#named = there !== undefined;
    this.usedAt = around.elapsed();
    this.addedAt = there?.addedAt ?? around.now();
  }

  /** Bytes so far, without waiting for anything. */
  get size(): number {
    return this.#received.size;
  }

  get isBusy(): boolean {
    return this.#writer !== undefined || this.#busy !== undefined;
  }

  /** Whether there is something of it in the tree. */
  get isStored(): boolean {
    return this.#named || this.#received.hasFile;
  }

  /** Notes that somebody wants it. */
  touch(): void {
    this.usedAt = this.#around.elapsed();
    this.#around.touched(this);
  }

  /** Bytes that a client may be told of. Waits until everything that came is written; a connection that is silent for 5 seconds is cut off here. */
  async offset(): Promise<number> {
    const { silence } = this.#around;
    const patience = performance.now() + silence;
    for (let writer = this.#writer; writer !== undefined; writer = this.#writer) {
      const outcome = await writer.watch(silence);
      if (outcome === "over") await writer.over;
      else if (outcome === "silent") await writer.stop((offset) => new OutOfOrder(offset));
      else if (performance.now() >= patience) {
        // A writer that does not pause tells where it is, and goes on.
        const { answer } = writer;
        writer.asked = answer === undefined;
        writer.answer = undefined;
        if (answer !== undefined) return answer;
      }
    }
    return this.#alone(
      (writer) => this.#pass(writer),
      () => this.#settle(),
    );
  }

  /**
   * Takes bytes at the end, one caller at a time. `at` is where the client means to go on; elsewhere than at the offset it
   * rejects with `OutOfOrder`, as it does for whom another writer got ahead of. What came before a failure is kept, but for one of `limit`.
   * @returns the offset after it
   */
  append(chunks: AsyncIterable<Uint8Array>, options: AppendOptions): Promise<number> {
    let overtaken = false;
    const past = async (writer: Writer): Promise<void> => {
      const outcome = await this.#pass(writer);
      overtaken ||= outcome === "over" && writer.chunks > 0;
    };
    return this.#alone(past, async () => {
      if (options.at === undefined ? overtaken : options.at !== this.size) throw new OutOfOrder(await this.#settle());
      this.touch();
      const writer = new Writer();
      this.#writer = writer;
      try {
        return await this.#write(writer, chunks, options);
      } finally {
        this.#writer = undefined;
        writer.leave();
      }
    });
  }

  /** What the whole session hashes to, with its size. */
  digest(algorithm: DigestAlgorithm): Promise<{ digest: Digest; size: number }> {
    return this.#alone(
      (writer) => this.#pass(writer),
      async () => {
        const digest = await this.#received.digest(algorithm);
        this.#told = this.size;
        return { digest, size: this.size };
      },
    );
  }

  /** All of it, for content that is known to be little. */
  content(): Promise<Uint8Array> {
    return this.#alone(
      (writer) => this.#pass(writer),
      async () => {
        if (!this.#received.hasFile) return this.#received.whole();
        await this.#received.settle();
        return (await this.#around.driver.read(uploadData(this.repository, this.id))) ?? new Uint8Array(0);
      },
    );
  }

  /**
   * Ends the session: `take` gets the path of its data, closed and complete, and may move it away; then the rest of the session goes.
   * Where bytes came after `digest` was told it rejects with `OutOfOrder`. If `take` rejects, the session stays if its data does.
   * Where the data is `alone` in its folder, `take` may move that.
   * @param takeBytes gets the content instead, where it never touched the disk
   */
  finish<T>(take: Take<T>, takeBytes?: (bytes: Uint8Array) => Promise<T>): Promise<T> {
    return this.#alone(
      (writer) => this.#pass(writer),
      async () => {
        if (this.#told !== undefined && this.#told !== this.size) throw new OutOfOrder(await this.#settle());
        const inMemory = takeBytes !== undefined && !this.#received.hasFile;
        const taken = inMemory ? await takeBytes(this.#received.whole()) : await this.#handOver(take);
        await this.#remove().catch((error: unknown) => this.#around.onRemains(this, error));
        this.#end("the upload is complete");
        return taken;
      },
    );
  }

  /** Removes the session and what it holds. */
  cancel(): Promise<void> {
    return this.#alone(
      (writer) => writer.stop(() => gone("the upload was cancelled")),
      async () => {
        // It is thrown away: what does not reach it any more does not matter.
        await this.#received.shut().catch(() => {});
        await this.#remove();
        this.#end("the upload was cancelled");
      },
    );
  }

  /** Hashes what is there of it. */
  async wake(): Promise<void> {
    if (!this.#received.hasFile) return;
    await this.#alone(
      (writer) => this.#pass(writer),
      () => this.#received.open(),
    );
  }

  /** Lets go of its file until somebody goes on with it, unless somebody does already. */
  async rest(): Promise<void> {
    await this.#busy;
    if (this.isBusy || this.#ended !== undefined) return;
    await this.#alone(
      (writer) => this.#pass(writer),
      async () => {
        try {
          await this.#settle();
        } finally {
          await this.#received.shut();
        }
      },
    );
  }

  /** Brings everything into the tree and lets go of it; whoever writes is cut off. This object is of no use afterwards. */
  park(): Promise<void> {
    const parked = new DrayError("ABORTED", "the upload was put away; ask for it again", { retryable: true });
    return this.#alone(
      (writer) => writer.stop(() => parked),
      async () => {
        this.#ended = parked;
        try {
          await this.#settle();
          await this.#name();
        } finally {
          await this.#received.shut();
        }
      },
    );
  }

  /** Waits for whoever writes: it ends by itself, or is cut off for its silence. @throws OutOfOrder where its bytes still come */
  async #pass(writer: Writer): Promise<"over" | "silent"> {
    const outcome = await writer.watch(this.#around.silence);
    if (outcome === "moved") throw new OutOfOrder(this.#received.size);
    if (outcome === "silent") await writer.stop((offset) => new OutOfOrder(offset));
    else await writer.over;
    return outcome;
  }

  /** Does something while nothing else is done. `past` gets a writer out of the way. */
  async #alone<T>(past: (writer: Writer) => Promise<unknown>, work: () => Promise<T>): Promise<T> {
    while (this.#busy !== undefined) await (this.#writer === undefined ? this.#busy : past(this.#writer));
    if (this.#ended !== undefined) throw this.#ended;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#busy = promise;
    try {
      return await work();
    } finally {
      this.#busy = undefined;
      resolve();
    }
  }

  async #write(writer: Writer, chunks: AsyncIterable<Uint8Array>, options: AppendOptions): Promise<number> {
    const { limit = Number.POSITIVE_INFINITY, meter, last = false, releases = false, signal } = options;
    const { now, elapsed } = this.#around;
    const buffer = this.#received;
    const before = this.size;
    const put = async (chunk: Uint8Array): Promise<void> => {
      if (!last && !buffer.holds(chunk)) await this.#name();
      await buffer.put(chunk);
      this.addedAt = now();
    };
    const onAbort = (): void => writer.cut();
    if (signal?.aborted === true) onAbort();
    signal?.addEventListener("abort", onAbort);
    const iterator = chunks[Symbol.asyncIterator]();
    try {
      if (!last && buffer.file !== undefined) await this.#name();
      await writer.take(iterator, { buffer, limit, meter, releases, now: elapsed, put, touch: () => this.touch() });
    } catch (error) {
      void iterator.return?.()?.catch(() => {});
      if (isDrayError(error, "LIMIT_EXCEEDED")) await buffer.cutBack(Math.max(before, writer.told));
      // What came stays. That the disk fails as well is the greater trouble.
      const size = await this.#settle();
      if (signal?.aborted === true || isDrayError(error, "NETWORK")) this.#around.left(this);
      throw writer.reason(size) ?? (signal?.aborted === true ? aborted(signal) : error);
    } finally {
      if (writer.chunks > 0) this.addedAt = now();
      signal?.removeEventListener("abort", onAbort);
    }
    // A whole blob that is in memory still needs no file, and one that has a file need not be found by its name.
    if (last) return this.#received.hasFile ? this.#received.settle() : this.size;
    return this.#settle();
  }

  /** Brings into the tree what a client may be told of. */
  async #settle(): Promise<number> {
    if (this.size > 0 || this.#received.hasFile) await this.#name();
    return this.#received.settle();
  }

  async #name(): Promise<void> {
    if (this.#named) return;
    this.#touched = true;
    await writeSession(this.#around.driver, this, this.facts);
    this.#named = true;
  }

  async #handOver<T>(take: Take<T>): Promise<T> {
    const path = uploadData(this.repository, this.id);
    await this.#received.settle();
    if (!this.#received.hasFile) await this.#received.open();
    await this.#received.shut();
    try {
      // The rest of its folder are the files of its name.
      return await take(path, { alone: !this.#named && !this.#touched });
    } catch (error) {
      // Where the data was moved before that, there is nothing to go on with.
      if ((await this.#around.driver.stat(path)) === undefined) {
        await this.#remove();
        this.#end("the upload could not be completed");
      }
      throw error;
    }
  }

  async #remove(): Promise<void> {
    if (this.isStored || this.#touched)
      await this.#around.driver.remove(uploadFolder(this.repository, this.id), { durable: false });
  }

  #end(why: string): void {
    this.#received.forget();
    this.#ended = gone(why);
    this.#around.ended(this);
  }
}

const gone = (why: string): DrayError => new DrayError("NOT_FOUND", why);
