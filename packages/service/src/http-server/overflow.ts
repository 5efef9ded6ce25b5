import { randomUUID } from "node:crypto";
import { close, openSync, read, unlinkSync, writeSync } from "node:fs";
import { join } from "node:path";

/** Bytes that lie in the file. Exactly one of `take` and `free` is called. */
export interface Overflowed {
  /** Puts more behind them. `false`: it stays where it is. */
  append(bytes: Uint8Array): boolean;
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
  put(bytes: Uint8Array): Overflowed | undefined {
    if (bytes.byteLength > place || (this.#free.length === 0 && this.#places === most)) return undefined;
    const at = this.#free.pop() ?? this.#places++;
    this.#file ??= this.#open();
    const file = this.#file;
    if (file === undefined || !written(file, bytes, at * place)) {
      this.#leave(at);
      return undefined;
    }
    let size = bytes.byteLength;
    const append = (more: Uint8Array): boolean => {
      if (size + more.byteLength > place || !written(file, more, at * place + size)) return false;
      size += more.byteLength;
      return true;
    };
    let state: "there" | "read" | "gone" = "there";
    const free = (): void => {
      if (state !== "there") return;
      state = "gone";
      this.#leave(at);
    };
    const take = (): Promise<Uint8Array> =>
      new Promise((resolve, reject) => {
        state = "read";
        read(file, new Uint8Array(size), 0, size, at * place, (error, count, back) => {
          this.#leave(at);
          if (error === null && count === size) resolve(back);
          else reject(error ?? nowhere);
        });
      });
    return { append, take, free };
  }

  #open(): number | undefined {
    const folder = this.#folder();
    if (folder === undefined) return undefined;
    const path = join(folder, `${randomUUID()}.tmp`);
    let file: number | undefined;
    try {
      file = openSync(path, "wx+", 0o600);
      unlinkSync(path);
    } catch {
      // Where there is one all the same, whoever starts next removes it.
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

/** Whether all of it could be written. */
const written = (file: number, bytes: Uint8Array, at: number): boolean => {
  try {
    return writeSync(file, bytes, 0, bytes.byteLength, at) === bytes.byteLength;
  } catch {
    return false;
  }
};
