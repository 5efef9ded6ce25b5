import { connect, type Socket } from "node:net";
import { DrayError, reasonOf } from "dray/errors";
import { Replies, type Reply } from "./replies.ts";
import type { Server } from "./servers.ts";

interface Asked {
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: DrayError) => void;
}

/**
 * One connection to one server. Questions go out one after the other without waiting, and answers come in the same order. It is opened with the
 * first question and never again: whoever finds it closed takes another.
 */
export class Connection {
  readonly server: Server;
  readonly #socket: Socket;
  readonly #asked: Asked[] = [];
  #fault: DrayError | undefined;
  #isUp = false;

  constructor(server: Server) {
    this.server = server;
    const socket = connect({ ...server.at, noDelay: true });
    this.#socket = socket;
    const replies = new Replies((reply) => this.#answered(reply));
    socket.on("connect", () => {
      this.#isUp = true;
    });
    socket.on("data", (data) => {
      try {
        if (this.#fault === undefined) replies.push(data);
      } catch (error) {
        this.close(foreign(server, reasonOf(error)));
      }
    });
    socket.on("error", (error) => this.close(this.#lost(error)));
    socket.on("close", () => this.close(this.#lost("it closed the connection")));
  }

  get isClosed(): boolean {
    return this.#fault !== undefined;
  }

  /** Whether the server has taken the connection. */
  get isUp(): boolean {
    return this.#isUp && !this.isClosed;
  }

  /** Sends a question in its parts, of which there is one answer. @throws DrayError `NETWORK`, `CACHE` when the connection ends before it */
  ask(parts: readonly (string | Uint8Array)[]): Promise<Reply> {
    if (this.#fault !== undefined) return Promise.reject(this.#fault);
    const { promise, resolve, reject } = Promise.withResolvers<Reply>();
    this.#asked.push({ resolve, reject });
    // Nobody waits for a connection on which nothing is asked.
    this.#socket.ref();
    this.#socket.cork();
    for (const part of parts) this.#socket.write(part);
    this.#socket.uncork();
    return promise;
  }

  /** Ends it; whatever is still asked fails with this. */
  close(fault: DrayError): void {
    if (this.#fault !== undefined) return;
    this.#fault = fault;
    this.#socket.destroy();
    for (const { reject } of this.#asked.splice(0)) reject(fault);
  }

  #answered(reply: Reply): void {
    const asked = this.#asked.shift();
    if (asked === undefined) throw new Error(reply.line.slice(0, 40));
    if (this.#asked.length === 0) this.#socket.unref();
    asked.resolve(reply);
  }

  #lost(cause: unknown): DrayError {
    const what = this.#isUp ? "was lost" : "cannot be reached";
    const reason = typeof cause === "string" ? cause : reasonOf(cause);
    return new DrayError("NETWORK", `memcached at ${this.server.name} ${what}: ${reason}`, { retryable: true, cause });
  }
}

/** What listens there is something else. */
export const foreign = (server: Server, said: string): DrayError =>
  new DrayError("CACHE", `what listens at ${server.name} is no memcached: it answered "${said}"`);
