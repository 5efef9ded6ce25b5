import { aborted, throwIfAborted } from "dray/errors";
import type { Clock } from "dray/http";

/** A clock for tests: time passes only by `advance`, and chance is always the same. */
export interface FakeClock extends Clock {
  /** Lets `ms` pass: sleepers wake in order, each with everything it sets off settled before the next. */
  advance(ms: number): Promise<void>;
  /** Lets time pass until `work` is done, from one sleeper to the next. Returns what `work` returns. */
  run<T>(work: Promise<T>): Promise<T>;
  /** How many are asleep. */
  readonly sleeping: number;
}

/** Promise chains and event-loop turns in between run to their end. */
const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 4; turn++) await new Promise((resolve) => setImmediate(resolve));
};

export const fakeClock = (start: number = Date.UTC(2026, 0, 1), chance = 0.5): FakeClock => {
  let now = start;
  const sleepers = new Set<{ at: number; wake: () => void }>();
  const next = () => [...sleepers].sort((a, b) => a.at - b.at)[0];

  const advance = async (ms: number): Promise<void> => {
    const end = now + ms;
    await settle();
    for (let first = next(); first !== undefined && first.at <= end; first = next()) {
      now = Math.max(now, first.at);
      first.wake();
      await settle();
    }
    now = end;
  };

  return {
    now: () => now,
    random: () => chance,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        throwIfAborted(signal);
        const leave = () => {
          sleepers.delete(sleeper);
          signal?.removeEventListener("abort", cancel);
        };
        const cancel = () => {
          leave();
          reject(aborted(signal as AbortSignal));
        };
        const sleeper = {
          at: now + ms,
          wake: () => {
            leave();
            resolve();
          },
        };
        sleepers.add(sleeper);
        signal?.addEventListener("abort", cancel, { once: true });
      }),
    advance,
    run: async (work) => {
      let done = false;
      const finish = () => {
        done = true;
      };
      work.then(finish, finish);
      for (let idle = 0; !done; idle++) {
        await settle();
        const first = next();
        if (first === undefined && idle > 1_000) throw new Error("the work neither ends nor sleeps");
        if (first === undefined) continue;
        idle = 0;
        await advance(Math.max(0, first.at - now));
      }
      return work;
    },
    get sleeping() {
      return sleepers.size;
    },
  };
};
