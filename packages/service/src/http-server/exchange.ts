import type { IncomingMessage, ServerResponse } from "node:http";
import type { Context } from "./context.ts";

/** One request and its answer on their connection: who waits for the client, whether it is still there. */
export class Exchange {
  readonly context: Context;
  readonly message: IncomingMessage;
  readonly response: ServerResponse;
  /** Whether the client waits for `100 Continue` before it sends its body. */
  waits: boolean;
  #gone: AbortController | undefined;
  /** The tick since when the client is waited for; -1: it is not. */
  #since = -1;

  constructor(context: Context, message: IncomingMessage, response: ServerResponse, waits: boolean) {
    this.context = context;
    this.message = message;
    this.response = response;
    this.waits = waits;
  }

  /** Aborts when the client vanishes before its answer is complete. Made when first asked for. */
  get signal(): AbortSignal {
    if (this.#gone === undefined) {
      const gone = new AbortController();
      this.#gone = gone;
      const { response } = this;
      if (response.destroyed) {
        if (!response.writableFinished) gone.abort();
      } else
        response.once("close", () => {
          if (!response.writableFinished) gone.abort();
        });
    }
    return this.#gone.signal;
  }

  /** Lets a client that asked first send its body. */
  proceed(): void {
    if (!this.waits) return;
    this.waits = false;
    this.response.writeContinue();
  }

  /** From here until it ends, the client may not be silent for longer than allowed. */
  watch(): void {
    const { open } = this.context;
    if (open.has(this)) return;
    open.add(this);
    if (this.response.destroyed) open.delete(this);
    else this.response.once("close", () => open.delete(this));
  }

  waiting(): void {
    this.#since = this.context.tick;
  }

  moved(): void {
    this.#since = -1;
  }

  isIdle(tick: number): boolean {
    return this.#since !== -1 && tick - this.#since > 4;
  }

  /** Ends the connection at once. */
  cut(): void {
    this.message.socket.destroy();
  }
}
