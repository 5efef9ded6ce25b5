import type { Socket } from "node:net";
import { addressOfSocket } from "./forwarded.ts";
import { mostHeldFirst } from "./most-held-first.ts";

const answers: unique symbol = Symbol("answers");
/** How many of its requests are not answered to the end; missing before the first. */
type Counted = Socket & { [answers]?: number };

/**
 * Connections that ask for nothing at the moment. Their clients expect that they end at any time, and open others, so that they are the
 * first to go where room is needed.
 */
export class Resting {
  readonly #since = new Map<Socket, number>();

  /** A request came. */
  asked(socket: Counted): void {
    const open = socket[answers];
    if (open === undefined) socket.once("close", () => this.#since.delete(socket));
    socket[answers] = (open ?? 0) + 1;
    this.#since.delete(socket);
  }

  /** Its answer ended, in a beat. */
  answered(socket: Counted, now: number): void {
    const open = (socket[answers] ?? 1) - 1;
    socket[answers] = open;
    if (open === 0 && !socket.destroyed) this.#since.set(socket, now);
  }

  /** Ends as many that rest since before a beat, and gives the peers of those. */
  end(count: number, before: number): string[] {
    const all = [...this.#since].map(([socket, since]) => ({ socket, since, peer: addressOfSocket(socket) }));
    const gone = mostHeldFirst(all.filter(({ since }) => since < before)).slice(0, count);
    for (const { socket } of gone) {
      this.#since.delete(socket);
      socket.destroy();
    }
    return gone.map(({ peer }) => peer);
  }
}
