/** Runs work again and again, a pause after each time; whatever goes wrong is told and does not end it. */
export const every = (
  interval: number,
  work: (signal: AbortSignal) => Promise<unknown>,
  onFailure: (error: unknown) => void,
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
    plan();
  };
  const plan = (): void => {
    if (ended.signal.aborted) return;
    // Timers hold no more than 24 days.
    timer = setTimeout(() => void (running = run()), Math.min(interval, 2 ** 31 - 1));
    timer.unref();
  };
  plan();
  return {
    stop: async () => {
      ended.abort();
      clearTimeout(timer);
      await running;
    },
  };
};
