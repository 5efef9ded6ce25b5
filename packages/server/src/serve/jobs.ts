import type { Log } from "@dray/service/observe";
import { every } from "@dray/service/program";
import { isDrayError, reasonOf } from "dray/errors";
import { systemClock } from "dray/http";
import type { Settings } from "../config/index.ts";
import type { Registry } from "../registry.ts";
import type { Driver } from "../storage/index.ts";
import type { ControlActions } from "./controls.ts";
import { type Job, noteRun, untilDue } from "./last-runs.ts";

export interface JobsOptions {
  readonly registry: Registry;
  readonly driver: Driver;
  readonly actions: Pick<ControlActions, "gc" | "verify">;
  readonly log: Log;
  /** Until when garbage collection is paused. Default: it is not. */
  readonly pausedUntil?: () => Promise<number | undefined>;
  /** Whether nothing may be changed: then nothing is done, and what is being done ends. */
  readonly readOnly: { readonly on: boolean; readonly quiet: AbortSignal };
}

/** What became of a job: it came to its end, or it could not run and is due again, at once when that is over. */
type Outcome = "ended" | "later" | { readonly notBefore: number };

/** Milliseconds after which is looked whether what stands in the way is gone. */
const look = 60_000;

/** As long as a lease is where nobody says otherwise: so long ages are not believed after the clock was set. */
const hour = 3_600_000;

/** A start has enough to do: what is due then comes a little later. */
const breath = 10_000;

/** What is done in the background: garbage collection and verification where they are wanted, and the removal of uploads that nobody goes on with. */
export const jobsOf = async (
  { registry: { gc = {}, uploads = {}, verify = {} }, purging }: Settings,
  { registry, driver, actions, log, readOnly, pausedUntil = async () => undefined }: JobsOptions,
): Promise<{ stop(): Promise<void> }[]> => {
  /**
   * Only what came to its end counts as done: what was refused or cut off is tried again soon, or what stands in its way at the same time
   * of each day would let it never run. `soonest`: milliseconds before which it does nothing.
   */
  const job = async (
    name: Job,
    what: string,
    interval: number,
    work: (signal: AbortSignal) => Promise<Outcome>,
    soonest = 0,
  ): Promise<{ stop(): Promise<void> }> => {
    const failed = (error: unknown): void => log("error", `${what}: ${reasonOf(error)}`);
    /** Whoever looks after the volume tells of it. */
    const isGone = async (): Promise<boolean> => {
      try {
        await driver.refuseGone?.();
        return false;
      } catch {
        return true;
      }
    };
    const first = Math.max(soonest, Math.min(interval / 4, breath), await untilDue(driver, name, interval));
    const tried = async (signal: AbortSignal): Promise<Outcome> => {
      if (readOnly.on || (await isGone())) return "later";
      const { quiet } = readOnly;
      try {
        return await work(AbortSignal.any([signal, quiet]));
      } catch (error) {
        if (!quiet.aborted && !(await isGone())) throw error;
        return "later";
      }
    };
    const run = async (signal: AbortSignal): Promise<void> => {
      for (let outcome = await tried(signal); outcome !== "ended"; outcome = await tried(signal)) {
        const pause = outcome === "later" ? Math.min(look, interval) : outcome.notBefore - Date.now();
        await systemClock.sleep(Math.max(1, pause), signal);
      }
      await noteRun(driver, name);
    };
    return every(interval, run, failed, { first });
  };
  const collect = async (signal: AbortSignal): Promise<Outcome> => {
    const collected = await unlessBusy(actions.gc({}, { tell: () => {}, signal }));
    if (collected === undefined) {
      const until = await pausedUntil();
      // A pause can be ended early.
      return until === undefined ? "later" : { notBefore: Math.min(until, Date.now() + look) };
    }
    const { manifests, layers, blobs, bytes, notBefore } = collected;
    if (notBefore !== undefined) return { notBefore };
    log("info", "garbage was collected", { manifests, layers, blobs, bytes });
    return "ended";
  };
  /** Where a restart cut it off it goes on. */
  const verified = async (signal: AbortSignal): Promise<Outcome> => {
    const run = await unlessBusy(actions.verify({ resume: true }, { tell: () => {}, signal }));
    if (run === undefined) return "later";
    log(run.findings === 0 ? "info" : "error", "the registry was verified", { ...run });
    return "ended";
  };
  const { age = Number.POSITIVE_INFINITY } = uploads;
  const purge = async (): Promise<Outcome> => {
    const settles = registry.context.jumps.wait(gc.lease ?? hour);
    if (settles > 0) return { notBefore: Date.now() + settles };
    const gone = await registry.context.uploads.purge(Date.now() - age);
    if (gone > 0) log("info", "abandoned uploads were removed", { uploads: gone });
    return "ended";
  };
  const jobs = [];
  if (gc.interval !== undefined && gc.interval > 0) {
    // Promises from before the start are not known: until they have ended nothing is swept.
    const { leases } = registry.context;
    jobs.push(await job("gc", "garbage collection", gc.interval, collect, leases.wait));
  }
  if (Number.isFinite(age)) jobs.push(await job("purge", "removing abandoned uploads", purging.interval, purge));
  if (verify.interval !== undefined && verify.interval > 0)
    jobs.push(await job("verify", "verification", verify.interval, verified));
  return jobs;
};

/** `undefined`: the operator was first, and it is being done. */
const unlessBusy = async <T>(work: Promise<T>): Promise<T | undefined> => {
  try {
    return await work;
  } catch (error) {
    if (isDrayError(error, "LOCKED")) return undefined;
    throw error;
  }
};
