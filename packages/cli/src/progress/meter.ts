import { advance, noProgress, type ProgressState } from "./state.ts";
import type { Clock, Happening } from "./types.ts";

/** Time over which a rate is averaged, milliseconds: long enough to stand still, short enough to follow. */
const span = 10_000;

/** Progress and its rate, told again and again from the first event on that says what there is to do until it is stopped. */
export class ProgressMeter {
  /** When it was known that there is something to do. */
  began: number | undefined;
  state: ProgressState = noProgress;
  readonly #clock: Clock;
  readonly #start: () => () => void;
  #samples: readonly { readonly at: number; readonly bytes: number }[] = [];
  #stop: (() => void) | undefined;

  constructor(clock: Clock, interval: number, tell: () => void) {
    this.#clock = clock;
    this.#start = () => clock.every(interval, tell);
  }

  readonly onEvent = (event: Happening): void => {
    this.state = advance(this.state, event);
    if ((event.type !== "plan" && event.type !== "ingest") || this.began !== undefined) return;
    this.began = this.#clock.now();
    this.#samples = [{ at: this.began, bytes: 0 }];
    this.#stop = this.#start();
  };

  /** Bytes in a second by now; `undefined` before there is anything to measure. */
  rate(): number | undefined {
    const last = { at: this.#clock.now(), bytes: this.state.moved };
    const from = this.#samples.findLastIndex(({ at }) => at <= last.at - span);
    this.#samples = [...this.#samples.slice(Math.max(0, from)), last];
    const [first = last] = this.#samples;
    return last.at - first.at < 200 ? undefined : ((last.bytes - first.bytes) * 1000) / (last.at - first.at);
  }

  /** Stops showing. Returns whether it was showing. */
  stop(): boolean {
    const stop = this.#stop;
    this.#stop = undefined;
    stop?.();
    return stop !== undefined;
  }
}
