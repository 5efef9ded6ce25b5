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
  /** Turns that last, the oldest first. */
  readonly #lasting = new Set<Turn>();
  /** Who waits: those who are new or brought something, and those who did not. */
  readonly #lively = new Set<Turn>();
  readonly #silent = new Set<Turn>();
  #next = this.#lively;
  #other = this.#silent;
  #clock: NodeJS.Timeout | undefined;
  #ticks = 0;
  /** How many wait. While nobody does, a turn that lasts goes on without asking. */
  waiting = 0;

  constructor(share: Share) {
    this.#share = share;
  }

  /** Whether a turn begins at once. */
  get isFree(): boolean {
    return this.waiting === 0 && this.#hasRoom;
  }

  /** Resolves when a turn has begun; at once where there is room, or where it lasts already and nobody lively waits. */
  begin(turn: Turn): Promise<void> | undefined {
    const { lasts } = turn;
    if (lasts && this.#lively.size === 0) {
      turn.listen();
      return undefined;
    }
    if (!lasts && this.isFree) {
      this.#start(turn);
      return undefined;
    }
    this.#give(turn);
    return new Promise((resolve) => {
      turn.begun = resolve;
      this.#wait(turn);
      this.#startWaiting();
    });
  }

  /** Something came. */
  came(turn: Turn): void {
    turn.awaits = false;
    turn.wasSilent = false;
    if (this.waiting > 0) turn.pause();
  }

  /** Nothing more is read: the socket is read as it was before, since another request may come there. */
  end(turn: Turn): void {
    this.#leave(turn);
    turn.brings = false;
    turn.begun?.();
    turn.begun = undefined;
    turn.listen();
    if (this.#give(turn)) this.#startWaiting();
  }

  get #hasRoom(): boolean {
    return this.#share.isSpare(place) || this.#share.fitsOwn(place);
  }

  #wait(turn: Turn): void {
    turn.pause();
    (turn.wasSilent ? this.#silent : this.#lively).add(turn);
    this.#count();
    this.#clock ??= setInterval(() => this.#tick(), patience);
  }

  #start(turn: Turn): void {
    this.#lasting.add(turn);
    turn.start(this.#share.hold(place));
  }

  /** Tells whether it had one. */
  #give(turn: Turn): boolean {
    this.#lasting.delete(turn);
    return turn.give();
  }

  #leave(turn: Turn): void {
    this.#lively.delete(turn);
    this.#silent.delete(turn);
    this.#count();
  }

  #count(): void {
    this.waiting = this.#lively.size + this.#silent.size;
  }

  /** By turns of both kinds, so that neither waits for all of the other. */
  #startWaiting(): void {
    while (this.waiting > 0 && this.#hasRoom) {
      const [next] = this.#next.size > 0 ? this.#next : this.#other;
      if (next === undefined) return;
      this.#leave(next);
      [this.#next, this.#other] = [this.#other, this.#next];
      this.#start(next);
    }
  }

  #tick(): void {
    let wanted = ++this.#ticks % looks === 0 ? this.waiting : this.#lively.size;
    for (const turn of this.#lasting) {
      if (wanted === 0) break;
      if (!turn.awaits || !turn.isOver()) continue;
      wanted--;
      this.#give(turn);
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
  /** Whether it has begun and goes on. */
  lasts = false;
  /** Whether its socket is kept from being read. */
  paused = false;
  /** Whether nothing came since it began, or since more was asked for. */
  awaits = false;
  /** Those of the clock since then. */
  ticks = 0;
  /** Whether anybody asked for bytes. */
  isRead = false;
  /** Whether something came before it, which is worked up before more is read. */
  brings = false;
  /** Whether nothing came in the last one. */
  wasSilent = false;
  /** Tells who waits for its begin. */
  begun: (() => void) | undefined;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  start(held: Held): void {
    this.#held = held;
    this.lasts = true;
    this.listen();
    this.begun?.();
    this.begun = undefined;
  }

  /** Whether it lasted for long enough; called in each tick. */
  isOver(): boolean {
    return ++this.ticks > (this.isRead ? 1 : longer);
  }

  /** Tells whether it had one. */
  give(): boolean {
    const had = this.lasts;
    this.#held?.free();
    this.#held = undefined;
    this.lasts = false;
    return had;
  }

  pause(): void {
    if (this.paused) return;
    this.paused = true;
    this.#socket.pause();
  }

  listen(): void {
    this.ticks = 0;
    this.awaits = true;
    if (!this.paused || this.brings) return;
    this.paused = false;
    this.#socket.resume();
  }
}
