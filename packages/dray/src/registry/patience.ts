import type { OnEvent } from "../content/index.ts";
import { type DrayError, throwIfAborted } from "../errors.ts";
import type { Settings } from "./api.ts";

/** How often something long is taken up again: as often as it comes further, and a few times where it does not. */
export interface Patience {
  /** Something got through: failures are counted anew. */
  cameFurther(): void;
  /**
   * Waits before the next attempt; not at all after the first failure: a connection that was cut may be taken up at once.
   * @throws the error where there has been no success for too long
   */
  pause(error: DrayError): Promise<void>;
}

/** @param what is tried, for the events. */
export const patience = (
  { attempts, backoff, clock, onEvent: onAnyEvent }: Settings,
  what: string,
  {
    signal,
    onEvent = onAnyEvent,
  }: { readonly signal?: AbortSignal | undefined; readonly onEvent?: OnEvent | undefined },
): Patience => {
  let failures = 0;
  return {
    cameFurther: () => {
      failures = 0;
    },
    pause: async (error) => {
      throwIfAborted(signal);
      failures++;
      if (failures >= attempts) throw error;
      const own = failures === 1 ? 0 : backoff(failures - 1, clock.random());
      const delay = Math.max(own, (error.retryAfter ?? 0) * 1000);
      onEvent?.({ type: "retry", what, attempt: failures, delay, reason: error.message });
      await clock.sleep(delay, signal);
    },
  };
};
