import { type Clock, systemClock } from "dray/http";

export interface ProbeOptions {
  /** Milliseconds that an answer holds for. Default 10 s. */
  readonly fresh?: number;
  readonly clock?: Clock;
}

/** Asks at most once in a while: who comes meanwhile gets the answer there is, or waits for the one that is under way. */
export const atMostOnceIn = <T>(
  ask: () => Promise<T>,
  { fresh = 10_000, clock = systemClock }: ProbeOptions = {},
): (() => Promise<T>) => {
  let asked: { readonly at: number; readonly answer: Promise<T> } | undefined;
  return () => {
    const now = clock.now();
    if (asked === undefined || now - asked.at >= fresh) asked = { at: now, answer: ask() };
    return asked.answer;
  };
};

/** Why something did not work, in words; `undefined` where it did. What does not answer for 5 seconds does not work. */
export const faultOf = async (
  work: () => Promise<unknown>,
  { clock = systemClock }: { readonly clock?: Clock } = {},
): Promise<string | undefined> => {
  const late = new AbortController();
  try {
    return await Promise.race([
      work().then(() => undefined),
      clock.sleep(timeout, late.signal).then(() => `no answer within ${timeout / 1000} s`),
    ]);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    late.abort();
  }
};

/** Milliseconds that an answer may take. */
const timeout = 5_000;
