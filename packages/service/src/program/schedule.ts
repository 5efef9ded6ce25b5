/** Timers hold no more than 24 days. */
const longest = 2 ** 31 - 1;

/**
 * Runs work again and again, a pause after each time; whatever goes wrong is told and does not end it.
 * @param options.first milliseconds until the first time; default: one interval
 */
export const every = (
  interval: number,
  work: (signal: AbortSignal) => Promise<unknown>,
  onFailure: (error: unknown) => void,
  { first = interval }: { readonly first?: number } = {},
): { stop(): Promise<void> } => {
  const ended = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  let running = Promise.resolve();
  const run = async (): Promise<void> => {
    try {
      await work(ended.signal);
    } catch (error) {
      if (!ended.signal.aborted) onFailure(error);
    }
    plan(interval);
  };
  const plan = (pause: number): void => {
    if (ended.signal.aborted) return;
    const next = (): void => {
      if (pause > longest) plan(pause - longest);
      else running = run();
    };
    timer = setTimeout(next, Math.min(pause, longest));
    timer.unref();
  };
  plan(first);
  return {
    stop: async () => {
      ended.abort();
      clearTimeout(timer);
      await running;
    },
  };
};
