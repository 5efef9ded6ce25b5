import { randomUUID } from "node:crypto";
import { close, openSync, read, unlinkSync, writeSync } from "node:fs";
import { join } from "node:path";

/** Bytes that lie in the file. Exactly one of the two is called. */
export interface Overflowed {
  /** Brings them back, in memory of their own. */
  take(): Promise<Uint8Array>;
  /** Lets go of them. Does nothing once they are taken. */
  free(): void;
}

/** Bytes of a place: as many as a runtime may read of a socket at once. */
const place = 512 * 1024;
/** Places at most, so that nobody fills the disk. A file has as many blocks as were written, not places. */
const most = 4096;

/**
 * A file without a name for bytes that came before there is memory for them. They are written there and then: a burst is over before any
 * thread has written. The file is there as long as anything lies in it, and a process that is killed leaves none.
 */
export class Overflow {
  readonly #folder: () => string | undefined;
  #file: number | undefined;
  /** Places that were used and are free. */
  #free: number[] = [];
  /** Places that were used. */
  #places = 0;

  /** @param folder where the file may lie at the moment; `undefined`: nowhere */
  constructor(folder: () => string | undefined) {
    this.#folder = folder;
  }

  /** Takes bytes out of memory; their memory may go. `undefined`: they stay where they are, because there is no room or no file. */
  put(chunks: readonly Uint8Array[]): Overflowed | undefined {
    const size = chunks.reduce((sum, { byteLength }) => sum + byteLength, 0);
    if (size > place || (this.#free.length === 0 && this.#places === most)) return undefined;
    const at = this.#free.pop() ?? this.#places++;
    try {
      this.#file ??= this.#open();
      if (this.#file === undefined) throw nowhere;
      let written = at * place;
      for (const chunk of chunks) {
        const count = writeSync(this.#file, chunk, 0, chunk.byteLength, written);
        if (count !== chunk.byteLength) throw nowhere;
        written += count;
      }
    } catch {
      this.#leave(at);
      return undefined;
    }
    const file = this.#file;
    let state: "there" | "read" | "gone" = "there";
    const free = (): void => {
      if (state !== "there") return;
      state = "gone";
      this.#leave(at);
    };
    const take = (): Promise<Uint8Array> =>
      new Promise((resolve, reject) => {
        state = "read";
        read(file, new Uint8Array(size), 0, size, at * place, (error, count, bytes) => {
          this.#leave(at);
          if (error === null && count === size) resolve(bytes);
          else reject(error ?? nowhere);
        });
      });
    return { take, free };
  }

  #open(): number | undefined {
    const folder = this.#folder();
    if (folder === undefined) return undefined;
    const path = join(folder, `${randomUUID()}.tmp`);
    const file = openSync(path, "wx+", 0o600);
    try {
      unlinkSync(path);
    } catch {
      // Whoever starts next removes it.
    }
    return file;
  }

  #leave(at: number): void {
    this.#free.push(at);
    if (this.#free.length < this.#places) return;
    this.#free = [];
    this.#places = 0;
    if (this.#file !== undefined) close(this.#file, () => {});
    this.#file = undefined;
  }
}

const nowhere = new Error("there is no file for what lies in memory");
