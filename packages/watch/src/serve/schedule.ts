import { DrayError, reasonOf } from "dray/errors";
import type { Clock } from "dray/http";

/** Times of a calendar. */
export interface Schedule {
  /** Patterns of cron, of five fields, or six with seconds first. */
  readonly cron: readonly string[];
  readonly timezone?: string | undefined;
}

/**
 * Tells the next time of a schedule after a moment; milliseconds since 1970, `undefined` where there is none.
 * @throws DrayError `CONFIG_INVALID` for what is no pattern of cron
 */
export const nextTime = async ({ cron, timezone }: Schedule): Promise<(now: number) => number | undefined> => {
  if (cron.length === 0) return () => undefined;
  // Loaded by whoever has a schedule.
  const { Cron } = await import("croner");
  const jobs = cron.map((pattern) => {
    try {
      return new Cron(pattern, { paused: true, ...(timezone === undefined ? {} : { timezone }) });
    } catch (error) {
      throw new DrayError(
        "CONFIG_INVALID",
        `schedule.cron: ${JSON.stringify(pattern)} is no pattern of cron: ${reasonOf(error)}`,
      );
    }
  });
  return (now) => {
    const times = jobs.flatMap((job) => job.nextRun(new Date(now))?.getTime() ?? []);
    return times.length === 0 ? undefined : Math.min(...times);
  };
};

/**
 * Does the work on each of some names at each time of the schedule, spread over the jitter, until the signal. A time that comes while the work of the one before
 * goes on is passed over.
 */
export const bySchedule = async (
  next: (now: number) => number | undefined,
  {
    jitter,
    names,
    work,
    clock,
    signal,
  }: {
    readonly jitter: number;
    readonly names: () => readonly string[];
    readonly work: (name: string) => Promise<unknown>;
    readonly clock: Clock;
    readonly signal: AbortSignal;
  },
): Promise<void> => {
  const rest = (ms: number): Promise<void> => clock.sleep(ms, signal).catch(() => {});
  while (!signal.aborted) {
    const time = next(clock.now());
    // A clock that was set is looked at again before long.
    const pause = Math.min(600_000, Math.max(0, (time ?? Infinity) - clock.now()));
    await rest(pause);
    if (time === undefined || clock.now() < time || signal.aborted) continue;
    const turns = names().map((name) => ({ name, at: time + clock.random() * jitter }));
    const under: Promise<unknown>[] = [];
    for (const { name, at } of turns.toSorted((one, other) => one.at - other.at)) {
      await rest(Math.max(0, at - clock.now()));
      if (signal.aborted) break;
      under.push(work(name));
    }
    await Promise.all(under);
  }
};
