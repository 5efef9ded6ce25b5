import type { Notice } from "./notice.ts";

export interface ClockJumpsOptions {
  /** Milliseconds since 1970, by the system's clock, which may be set. */
  readonly now: () => number;
  /** Milliseconds that go on evenly, whatever the system's clock is set to. */
  readonly elapsed: () => number;
  readonly onNotice: (notice: Notice) => void;
}

/** Milliseconds by which a clock may be put right without a word. */
const slack = 60_000;

/**
 * Tells when the system's clock was set, or the machine slept: ages of files mean nothing then until whoever set it had time to see what
 * came of it. It is noticed when somebody asks.
 */
export class ClockJumps {
  readonly #options: ClockJumpsOptions;
  #ahead: number;
  #asked: number;
  #last = { at: Number.NEGATIVE_INFINITY, by: 0 };

  constructor(options: ClockJumpsOptions) {
    this.#options = options;
    this.#asked = options.elapsed();
    this.#ahead = options.now() - this.#asked;
  }

  /**
   * Milliseconds until ages may be believed again; 0: they may.
   * @param patience milliseconds for which they may not, after a jump
   */
  wait(patience: number): number {
    const { now, elapsed, onNotice } = this.#options;
    const at = elapsed();
    const ahead = now() - at;
    const by = ahead - this.#ahead;
    // Clocks that are put right little by little gain or lose a thousandth.
    if (Math.abs(by) > slack + (at - this.#asked) / 1000) {
      this.#last = { at, by };
      const direction = by > 0 ? "forward" : "back";
      const message = `the system's clock went ${direction} by ${Math.round(Math.abs(by) / 1000)} s since it was looked at: nothing is removed for its age for ${Math.ceil(patience / 1000)} s; if the time is wrong now, put it right before that`;
      onNotice({ level: "warn", message });
    }
    this.#ahead = ahead;
    this.#asked = at;
    return Math.max(0, this.#last.at + patience - at);
  }

  /** By how many milliseconds it jumped last. */
  get by(): number {
    return this.#last.by;
  }
}
