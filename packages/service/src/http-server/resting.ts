import type { Socket } from "node:net";
import type { End } from "./forwarded.ts";
import { mostHeldFirst } from "./most-held-first.ts";

/** What is known of a connection, from its first request on. */
export interface Connection extends End {
  readonly socket: Socket;
  /** Its requests that are not answered to the end. Without one it rests. */
  open: number;
  /** The beat in which the last answer ended. */
  restsSince: number;
  /** It takes no more requests. */
  ending: boolean;
}

/** Where a socket keeps it. */
export const connection: unique symbol = Symbol("connection");
export type Connected = Socket & { [connection]?: Connection };

/**
 * Connections that ask for nothing at the moment. Their clients expect that they end at any time, and open others, so that they are the
 * first to go where room is needed.
 */
export class Resting {
  readonly #all = new Set<Connection>();

  /** The first request of a connection came. */
  meet(socket: Socket, end: End): Connection {
    const one = { ...end, socket, open: 0, restsSince: 0, ending: false };
    if (socket.destroyed) return one;
    this.#all.add(one);
    socket.once("close", () => this.#all.delete(one));
    return one;
  }

  /** Ends as many that rest since before a beat, and gives the peers of those. */
  end(count: number, before: number): string[] {
    const all = [...this.#all]
      .filter(({ socket, open, restsSince }) => open === 0 && restsSince < before && !socket.destroyed)
      .map(({ socket, restsSince, peer }) => ({ socket, since: restsSince, peer }));
    const gone = mostHeldFirst(all).slice(0, count);
    for (const { socket } of gone) socket.destroy();
    return gone.map(({ peer }) => peer);
  }
}
