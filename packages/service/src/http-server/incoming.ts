import type { IncomingMessage, ServerResponse } from "node:http";
import { DrayError } from "dray/errors";
import type { Context } from "./context.ts";
import { First, release } from "./first.ts";
import { Turn } from "./turns.ts";

/**
 * A body that is announced with at most so many bytes waits for no turn: it comes with its headers, and a connection that is kept from
 * being read costs as much.
 */
const small = 16 * 1024;

/** The request whose body it is. */
interface Asked {
  readonly context: Context;
  readonly message: IncomingMessage;
  readonly response: ServerResponse;
  readonly waits: boolean;
  waitsSince: number;
  proceed(): void;
  watch(): void;
}

/**
 * The bytes of a body as they come from its socket, each chunk as the runtime read it: joined ones would lie in memory twice. Whoever stops
 * reading may still want to answer, so the connection stays.
 */
export class Incoming implements AsyncIterator<Uint8Array> {
  readonly #exchange: Asked;
  readonly #turn: Turn | undefined;
  /** Bytes that were read. */
  received = 0;
  #begun = false;
  #isWanted = true;
  /** Nothing more comes, or is wanted. */
  #isOver = false;
  #isReturned = false;
  #chunk: Uint8Array | undefined;
  /** What came before its turn. */
  #first: First | undefined;
  #news: (() => void) | undefined;

  constructor(exchange: Asked) {
    this.#exchange = exchange;
    const { headers, socket } = exchange.message;
    this.#turn = Number(headers["content-length"]) <= small ? undefined : new Turn(socket);
  }

  /** Resolves when it is this request's turn. */
  async started(): Promise<void> {
    const { message, response, context, waits } = this.#exchange;
    const turn = this.#turn;
    if (turn === undefined || response.destroyed) return;
    response.once("close", this.#gone);
    if (!waits && !context.turns.isFree) {
      this.#first = await First.met(message, context);
      turn.brings = this.#first !== undefined;
      turn.pause();
      if (this.#isOver) return this.#first?.free();
    }
    await context.turns.begin(turn);
  }

  async next(): Promise<IteratorResult<Uint8Array>> {
    const { message, context } = this.#exchange;
    const { turns, silences } = context;
    const turn = this.#turn;
    if (!this.#begun) this.#begin();
    if (this.#first !== undefined) {
      const chunk = await this.#first.next();
      if (chunk !== undefined) {
        this.received += chunk.byteLength;
        return { done: false, value: chunk };
      }
      this.#first = undefined;
      if (turn !== undefined) turn.brings = false;
    }
    if (turn !== undefined && !this.#isOver) {
      turn.isRead = true;
      turn.ticks = 0;
      turn.awaits = true;
      if (!turn.lasts || turn.paused || turns.waiting > 0) await turns.begin(turn);
    }
    if (!this.#isOver) {
      this.#exchange.waitsSince = silences.now;
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#news = resolve;
      message.resume();
      await promise;
      this.#exchange.waitsSince = -1;
    }
    const chunk = this.#chunk;
    this.#chunk = undefined;
    if (chunk !== undefined) {
      if (turn !== undefined) {
        // While nobody waits that is all of it.
        turn.awaits = false;
        turn.wasSilent = false;
        if (turns.waiting > 0) turns.came(turn);
      }
      this.received += chunk.byteLength;
      return { done: false, value: chunk };
    }
    if (this.#isReturned || (message.complete && message.readableEnded)) return { done: true, value: undefined };
    throw new DrayError("NETWORK", "the client went away in the middle of its body");
  }

  /** Reads away what comes, which nobody wants, until it ends or for so many milliseconds. */
  async discard(time: number): Promise<void> {
    this.#isWanted = false;
    const late = setTimeout(() => void this.return(), time);
    try {
      for (let next = await this.next(); next.done !== true; next = await this.next()) release(next.value);
    } catch {
      // It went away.
    } finally {
      clearTimeout(late);
    }
  }

  async return(): Promise<IteratorResult<Uint8Array>> {
    this.#isReturned = true;
    this.#exchange.message.off("data", this.#take);
    this.#gone();
    return { done: true, value: undefined };
  }

  #begin(): void {
    const { message, response } = this.#exchange;
    this.#begun = true;
    if (this.#isWanted) {
      this.#exchange.proceed();
      this.#exchange.watch();
    }
    if (message.destroyed || message.readableEnded) return this.#end();
    for (const event of ["end", "error", "close"]) message.once(event, this.#end);
    response.once("close", this.#end);
    message.on("data", this.#take);
    message.pause();
  }

  readonly #take = (chunk: Uint8Array): void => {
    this.#exchange.message.pause();
    this.#chunk = chunk;
    this.#news?.();
  };

  /** Nobody takes any more of it. */
  readonly #gone = (): void => {
    this.#first?.free();
    this.#end();
  };

  readonly #end = (): void => {
    this.#isOver = true;
    if (this.#turn !== undefined) this.#exchange.context.turns.end(this.#turn);
    this.#news?.();
  };
}
