import { reasonOf } from "dray/errors";
import { type Clock, systemClock } from "dray/http";

type Signal = keyof typeof numbers;

const numbers = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 } as const;

/** Where signals come from: `process`, or whoever stands for it in a test. */
export interface SignalSource {
  on(signal: Signal, listener: () => void): unknown;
  off(signal: Signal, listener: () => void): unknown;
}

export interface Service {
  /**
   * Ends it: takes no new connection, lets requests finish. When `hurry` aborts there is no time left; what is not
   * finished is cut.
   */
  stop(hurry: AbortSignal): Promise<void>;
  /** Reads again what can change while it runs: certificates, passwords, settings, log files. It tells itself how that went. */
  reload?(): Promise<unknown>;
  onNotice?(message: string): void;
}

export interface SignalOptions {
  /** Milliseconds for requests to finish; 0: none. Default: as long as it takes. */
  readonly drain?: number;
  readonly signals?: SignalSource;
  readonly clock?: Clock;
  /** What SIGHUP does: `stop` for what was started at a terminal, which sends it when it closes. Default `reload`. */
  readonly hangup?: "reload" | "stop";
  /** Ends it without a signal. */
  readonly ended?: Promise<void>;
}

/**
 * Runs a service until somebody ends it, and gives the exit code: SIGTERM or SIGINT asks it to stop, within `drain`; the second one
 * does not wait. SIGHUP reloads, one after the other; a reload that fails leaves everything as it was and the service running.
 * @returns 0 when it ended in order (also when time ran out), 128 + number of the signal that did not wait, 1 when stopping failed
 */
export const untilSignals = async (
  service: Service,
  { drain, signals = process, clock = systemClock, hangup = "reload", ended }: SignalOptions = {},
): Promise<number> => {
  const notice = (message: string): void => service.onNotice?.(message);
  const asked = Promise.withResolvers<Signal | "itself">();
  const insisted = Promise.withResolvers<Signal>();
  let stopping = false;
  const end = (signal: Signal) => (): void => {
    if (stopping) insisted.resolve(signal);
    stopping = true;
    asked.resolve(signal);
  };
  let reloading: Promise<void> = Promise.resolve();
  const reload = (): void => {
    if (stopping) return;
    // One that failed changed nothing, and the service has told of it.
    reloading = reloading
      .then(() => service.reload?.())
      .then(
        () => {},
        () => {},
      );
  };
  const listeners = [
    ["SIGTERM", end("SIGTERM")],
    ["SIGINT", end("SIGINT")],
    ["SIGHUP", hangup === "reload" ? reload : end("SIGHUP")],
  ] as const;
  for (const [signal, listener] of listeners) signals.on(signal, listener);
  const done = new AbortController();
  try {
    ended?.then(() => asked.resolve("itself"), asked.reject);
    const why = await asked.promise;
    stopping = true;
    notice(why === "itself" ? "stopping" : `${why}: stopping; a second one does not wait`);
    const hurry = new AbortController();
    if (drain === 0) hurry.abort();
    else if (drain !== undefined)
      clock.sleep(drain, done.signal).then(
        () => {
          notice(`requests were not done within ${drain / 1000} s and are cut`);
          hurry.abort();
        },
        () => {},
      );
    const stopped = service.stop(hurry.signal).then(() => undefined);
    const second = await Promise.race([stopped, insisted.promise]);
    if (second === undefined) return 0;
    hurry.abort();
    stopped.catch(() => {});
    return 128 + numbers[second];
  } catch (error) {
    notice(`not stopped in order: ${reasonOf(error)}`);
    return 1;
  } finally {
    done.abort();
    for (const [signal, listener] of listeners) signals.off(signal, listener);
  }
};
