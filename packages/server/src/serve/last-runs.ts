import type { Driver } from "../storage/index.ts";

/** What is done in the background by the clock. */
export type Job = "gc" | "purge" | "verify";

/** Beside the tree: a restart finds it there. */
const fileOf = (job: Job): string => `dray/schedule/${job}`;

/**
 * Milliseconds until a job is due, counted from when it last came to its end, in whatever process: a registry that is restarted more
 * often than that does its work all the same. One that never ended is due at once, and so is one that ended in the future.
 */
export const untilDue = async (
  driver: Driver,
  job: Job,
  interval: number,
  now: number = Date.now(),
): Promise<number> => {
  const last = await lastRun(driver, job);
  return last === undefined || last > now ? 0 : Math.max(0, last + interval - now);
};

/** When a job last came to its end, in whatever process; milliseconds since 1970. */
export const lastRun = async (driver: Driver, job: Job): Promise<number | undefined> => {
  const bytes = await driver.read(fileOf(job)).catch(() => undefined);
  const last = bytes === undefined ? Number.NaN : Date.parse(new TextDecoder().decode(bytes).trim());
  return Number.isNaN(last) ? undefined : last;
};

/** Notes that a job came to its end. Where that cannot be written the next start does it again. */
export const noteRun = (driver: Driver, job: Job, now: number = Date.now()): Promise<void> =>
  driver.write(fileOf(job), new TextEncoder().encode(`${new Date(now).toISOString()}\n`), { durable: false });
