import { DrayError } from "dray/errors";
import type { UploadBuffer } from "./upload-buffer.ts";

/** What bytes are counted in as they come, for whoever keeps room for them. */
export interface Meter {
  /** So many come without a question. */
  readonly announced: number;
  came: number;
  /** When the last ones did; milliseconds of the clock by which writers are timed. */
  at: number;
  /** Asked before each chunk beyond is taken; what it throws, or rejects with, ends the writer. */
  more(): Promise<void> | undefined;
}

/** Where the bytes of a writer go. */
interface Taking {
  readonly buffer: UploadBuffer;
  readonly limit: number;
  readonly meter: Meter | undefined;
  readonly releases: boolean;
  readonly now: () => number;
  /** Takes a chunk that does not go straight into the file. */
  readonly put: (chunk: Uint8Array) => Promise<void>;
  /** Bytes still come; called once a second at most. */
  readonly touch: () => void;
}

/** What became of a writer that somebody waits for: it is over, bytes came, or nothing came for too long. */
export type Outcome = "over" | "moved" | "silent";

/** Whoever appends to a session now. Others watch it, and cut it off where its connection seems dead. */
export class Writer {
  /** Chunks that came. */
  chunks = 0;
  /** Somebody wants to know an offset before this writer is over. */
  asked = false;
  /** The offset that was asked for. */
  answer: number | undefined;
  /** The highest offset that was told meanwhile, which stays. */
  told = 0;
  /** Resolves when the writer has left the session. */
  readonly over: Promise<void>;
  readonly #leave: () => void;
  #isOver = false;
  #isCut = false;
  /** The chunk it waits for. */
  #turn: PromiseWithResolvers<IteratorResult<Uint8Array>> | undefined;
  /** When it began to wait for its client; milliseconds of a clock that only goes forward. */
  #waitingSince: number | undefined;
  #reason: ((offset: number) => Error) | undefined;
  readonly #watchers = new Set<() => void>();

  constructor() {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.over = promise;
    this.#leave = resolve;
  }

  /** Takes all chunks. Rejects when it is cut off, which the next chunk may never come after, or when one cannot be taken. */
  async take(iterator: AsyncIterator<Uint8Array>, options: Taking): Promise<void> {
    const { buffer, limit, meter, releases, now, put, touch } = options;
    let touchedAt = now();
    for (let came = 0; ; ) {
      if (this.#isCut) throw cutOff;
      const turn = Promise.withResolvers<IteratorResult<Uint8Array>>();
      this.#turn = turn;
      this.#waitingSince = performance.now();
      if (this.#watchers.size > 0) this.#tell();
      iterator.next().then(turn.resolve, turn.reject);
      const { done, value } = await turn.promise;
      this.#waitingSince = undefined;
      if (done !== true) this.chunks++;
      if (this.#watchers.size > 0) this.#tell();
      if (done === true) return;
      came += value.byteLength;
      if (came > limit) throw new DrayError("LIMIT_EXCEEDED", `more than ${limit} bytes came`);
      const at = now();
      if (meter !== undefined) {
        meter.came = came;
        meter.at = at;
        const looking = came > meter.announced ? meter.more() : undefined;
        if (looking !== undefined) await looking;
      }
      await (buffer.file === undefined ? put(value) : buffer.file.append(value));
      // A collector learns late how much memory that came from a socket lies about.
      if (releases && value.byteLength === value.buffer.byteLength) (value.buffer as ArrayBuffer).transfer(0);
      if (at - touchedAt > 1000) {
        touchedAt = at;
        touch();
      }
      if (this.asked && this.answer === undefined) this.told = this.answer = await buffer.settle();
    }
  }

  /** Why it was cut off, if it was. `offset`: what stays of it. */
  reason(offset: number): Error | undefined {
    return this.#reason?.(offset);
  }

  /** Cuts it off, and waits until it has left: what came is written by then. */
  async stop(reason: (offset: number) => Error): Promise<void> {
    this.#reason ??= reason;
    this.cut();
    await this.over;
  }

  /** Lets it wait for no more chunks. */
  cut(): void {
    this.#isCut = true;
    this.#turn?.reject(cutOff);
  }

  leave(): void {
    this.#isOver = true;
    this.#tell();
    this.#leave();
  }

  /** Waits for news. The timer is there only while somebody waits. */
  watch(silence: number): Promise<Outcome> {
    const before = this.chunks;
    const news = (): Outcome | undefined => (this.#isOver ? "over" : this.chunks === before ? undefined : "moved");
    const left = (since: number): number => since + silence - performance.now();
    return new Promise((resolve) => {
      let timer: NodeJS.Timeout | undefined;
      const settle = (outcome: Outcome): void => {
        this.#watchers.delete(look);
        resolve(outcome);
      };
      const look = (): void => {
        clearTimeout(timer);
        const outcome = news();
        if (outcome !== undefined) settle(outcome);
        // Who waits for the disk is not silent.
        else if (this.#waitingSince !== undefined) timer = setTimeout(expire, Math.ceil(left(this.#waitingSince)));
      };
      /** After a time in which this process did nothing the bytes may be there, not read yet: they have their turn first. */
      const expire = (): void => {
        setImmediate(() => {
          if (!this.#watchers.has(look)) return;
          if (this.#waitingSince !== undefined && left(this.#waitingSince) <= 0) settle("silent");
          else look();
        });
      };
      this.#watchers.add(look);
      look();
    });
  }

  #tell(): void {
    for (const look of this.#watchers) look();
  }
}

const cutOff = new Error("nobody waits for more of the upload");
