import type { IncomingMessage } from "node:http";
import type { Held } from "../memory/index.ts";
import type { Context } from "./context.ts";
import type { Overflowed } from "./overflow.ts";

/** Bytes after which nothing more is read for now: with what is read at once, as many as have a place in the file. */
const enough = 384 * 1024;

/** A piece of what came: in memory, counted, or in the file. */
type Piece = { readonly chunk: Uint8Array; readonly held: Held } | Overflowed;

/**
 * What a runtime read of a body together with its headers, which nobody can hold back: as much as the system had of the connection. It waits
 * for its turn in memory while there is some to spare, else in a file, into which each chunk goes as it comes: a runtime may read of a
 * thousand connections before it does anything else.
 */
export class First {
  readonly #context: Pick<Context, "early" | "overflow">;
  #pieces: Piece[] = [];
  /** Of the piece that was given last. */
  #held: Held | undefined;

  private constructor(context: Pick<Context, "early" | "overflow">) {
    this.#context = context;
  }

  /** Resolves when all of it is there, if there is any. The message is paused then. */
  static async met(message: IncomingMessage, context: Context): Promise<First | undefined> {
    const first = new First(context);
    let size = 0;
    const take = (chunk: Uint8Array): void => {
      first.#add(chunk);
      size += chunk.byteLength;
      if (size >= enough) message.pause();
    };
    message.on("data", take);
    await new Promise((resolve) => setImmediate(resolve));
    message.off("data", take);
    message.pause();
    return first.#pieces.length === 0 ? undefined : first;
  }

  #add(chunk: Uint8Array): void {
    const { early, overflow } = this.#context;
    const last = this.#pieces.at(-1);
    const isBehind = last !== undefined && "take" in last && last.append(chunk);
    const there = isBehind || early.isSpare(chunk.byteLength) ? undefined : overflow.put(chunk);
    if (isBehind || there !== undefined) release(chunk);
    if (!isBehind) this.#pieces.push(there ?? { chunk, held: early.hold(chunk.byteLength) });
  }

  /** The next piece of it. The one before is not counted any more. */
  async next(): Promise<Uint8Array | undefined> {
    this.#held?.free();
    this.#held = undefined;
    const piece = this.#pieces.shift();
    if (piece === undefined || "take" in piece) return piece?.take();
    this.#held = piece.held;
    return piece.chunk;
  }

  /** Lets go of what nobody took. */
  free(): void {
    this.#held?.free();
    for (const piece of this.#pieces.splice(0)) ("take" in piece ? piece : piece.held).free();
  }
}

/** A collector learns late how much memory that came from a socket lies about. */
export const release = ({ buffer, byteLength }: Uint8Array): void => {
  if (buffer.byteLength === byteLength) (buffer as ArrayBuffer).transfer(0);
};
