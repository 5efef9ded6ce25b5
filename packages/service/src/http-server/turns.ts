import type { Socket } from "node:net";
import type { Held, Share } from "../memory/index.ts";

/** Bytes that a runtime may read of a socket at once: Bun 512 KiB, Node 64. */
const place = 512 * 1024;
/** Milliseconds after which a turn in which nothing came may go to another. */
const patience = 5;
/** As many times longer may pass before the first bytes are asked for. */
const longer = 10;
/** Ticks between two looks at those who brought nothing. */
const looks = 4;

/**
 * Turns at requests with bodies. What a client sends lies in memory as soon as its socket is read, so only as many sockets are read at once
 * as there is memory for; the rest stays with the clients. A turn begins with the request, and goes on until what came is worked up and more
 * is asked for: whoever came first is done first, and not all at last. Where others wait, a turn in which nothing comes ends after a moment.
 * So clients that stand still hold nobody up: they are looked at in turns, and who is new or brings something waits for none of them.
 */
export class Turns {
  readonly #share: Share;
  /** Turns in which nothing came yet, the oldest first. */
  readonly #idle = new Set<Turn>();
  /** Who waits: those who are new or brought something, and those who did not. */
  readonly #lively = new Set<Turn>();
  readonly #silent = new Set<Turn>();
  #next = this.#lively;
  #other = this.#silent;
  #clock: NodeJS.Timeout | undefined;
  #ticks = 0;

  constructor(share: Share) {
    this.#share = share;
  }

  /** How many wait. */
  get waiting(): number {
    return this.#lively.size + this.#silent.size;
  }

  /** Resolves when a turn has begun; at once where there is room, or where it lasts already and nobody lively waits. */
  begin(turn: Turn): Promise<void> | undefined {
    if (turn.has && this.#lively.size === 0) {
      this.#idle.add(turn);
      turn.listen();
      return undefined;
    }
    if (!turn.has && this.waiting === 0 && this.#hasRoom) {
      this.#start(turn);
      return undefined;
    }
    turn.give();
    return new Promise((resolve) => {
      turn.begun = resolve;
      this.#wait(turn);
      this.#startWaiting();
    });
  }

  /** Something came. */
  came(turn: Turn): void {
    this.#idle.delete(turn);
    if (this.waiting > 0) turn.pause();
  }

  /** Nothing more is read. */
  end(turn: Turn): void {
    this.#idle.delete(turn);
    this.#lively.delete(turn);
    this.#silent.delete(turn);
    turn.begun?.();
    turn.begun = undefined;
    if (turn.give()) this.#startWaiting();
  }

  get #hasRoom(): boolean {
    return this.#share.isSpare(place) || this.#share.fitsOwn(place);
  }

  #wait(turn: Turn): void {
    turn.pause();
    (turn.wasSilent ? this.#silent : this.#lively).add(turn);
    this.#clock ??= setInterval(() => this.#tick(), patience);
  }

  #start(turn: Turn): void {
    this.#idle.add(turn);
    turn.start(this.#share.hold(place));
  }

  /** By turns of both kinds, so that neither waits for all of the other. */
  #startWaiting(): void {
    while (this.waiting > 0 && this.#hasRoom) {
      const [next] = this.#next.size > 0 ? this.#next : this.#other;
      if (next === undefined) return;
      this.#lively.delete(next);
      this.#silent.delete(next);
      [this.#next, this.#other] = [this.#other, this.#next];
      this.#start(next);
    }
  }

  #tick(): void {
    let wanted = ++this.#ticks % looks === 0 ? this.waiting : this.#lively.size;
    for (const turn of this.#idle) {
      if (wanted === 0) break;
      if (!turn.isOver()) continue;
      wanted--;
      this.#idle.delete(turn);
      turn.give();
      if (!turn.isRead) continue;
      turn.wasSilent = true;
      this.#wait(turn);
    }
    this.#startWaiting();
    if (this.waiting > 0) return;
    clearInterval(this.#clock);
    this.#clock = undefined;
  }
}

/** The turn of one body. */
export class Turn {
  readonly #socket: Socket;
  #held: Held | undefined;
  #paused = false;
  #ticks = 0;
  /** Whether anybody asked for bytes. */
  isRead = false;
  /** Whether nothing came in the last one. */
  wasSilent = false;
  /** Tells who waits for its begin. */
  begun: (() => void) | undefined;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  get has(): boolean {
    return this.#held !== undefined;
  }

  start(held: Held): void {
    this.#held = held;
    this.listen();
    this.begun?.();
    this.begun = undefined;
  }

  /** Whether it lasted for long enough; called in each tick. */
  isOver(): boolean {
    return ++this.#ticks > (this.isRead ? 1 : longer);
  }

  /** Tells whether it had one. */
  give(): boolean {
    const had = this.#held !== undefined;
    this.#held?.free();
    this.#held = undefined;
    return had;
  }

  pause(): void {
    if (this.#paused) return;
    this.#paused = true;
    this.#socket.pause();
  }

  listen(): void {
    this.#ticks = 0;
    if (!this.#paused) return;
    this.#paused = false;
    this.#socket.resume();
  }
}
