import type { IncomingMessage } from "node:http";
import type { Held } from "../memory/index.ts";
import type { Context } from "./context.ts";
import type { Overflowed } from "./overflow.ts";

/** Bytes after which nothing more is read for now. */
const enough = 512 * 1024;

/**
 * What a runtime read of a body together with its headers, which nobody can hold back: as much as the system had of the connection. It waits
 * for its turn in memory while there is some to spare, else in a file.
 */
export class First {
  #chunks: Uint8Array[];
  #held: Held | undefined;
  #there: Overflowed | undefined;

  private constructor(chunks: Uint8Array[], { early, overflow }: Pick<Context, "early" | "overflow">) {
    this.#chunks = chunks;
    const size = chunks.reduce((sum, { byteLength }) => sum + byteLength, 0);
    if (!early.isSpare(size)) this.#there = overflow.put(chunks);
    if (this.#there === undefined) this.#held = early.hold(size);
    else for (const chunk of chunks.splice(0)) release(chunk);
  }

  /** Resolves when all of it is there, if there is any. The message is paused then. */
  static async met(message: IncomingMessage, context: Context): Promise<First | undefined> {
    const chunks: Uint8Array[] = [];
    let size = 0;
    const take = (chunk: Uint8Array): void => {
      chunks.push(chunk);
      size += chunk.byteLength;
      if (size >= enough) message.pause();
    };
    message.on("data", take);
    await new Promise((resolve) => setImmediate(resolve));
    message.off("data", take);
    message.pause();
    return chunks.length === 0 ? undefined : new First(chunks, context);
  }

  /** The next chunk of it. What was there before is not counted any more. */
  async next(): Promise<Uint8Array | undefined> {
    const there = this.#there;
    this.#there = undefined;
    if (there !== undefined) return there.take();
    const chunk = this.#chunks.shift();
    if (chunk === undefined) this.free();
    return chunk;
  }

  /** Lets go of what nobody took. */
  free(): void {
    this.#there?.free();
    this.#there = undefined;
    this.#held?.free();
    this.#chunks = [];
  }
}

/** A collector learns late how much memory that came from a socket lies about. */
export const release = ({ buffer, byteLength }: Uint8Array): void => {
  if (buffer.byteLength === byteLength) (buffer as ArrayBuffer).transfer(0);
};
