import { aborted, throwIfAborted } from "../errors.ts";

/**
 * Waits for work, but no longer than the signal allows. The work itself goes on; nobody waits for it then.
 * @throws DrayError `ABORTED`
 */
export const unlessAborted = async <T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> => {
  if (signal === undefined) return work;
  let leave = (): void => {};
  const left = new Promise<never>((_, reject) => {
    leave = () => reject(aborted(signal));
    signal.addEventListener("abort", leave, { once: true });
  });
  try {
    throwIfAborted(signal);
    return await Promise.race([work, left]);
  } finally {
    signal.removeEventListener("abort", leave);
    // Its failure is of no interest to anybody any more.
    work.catch(() => {});
  }
};
