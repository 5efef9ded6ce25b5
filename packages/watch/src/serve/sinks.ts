import type { Clock } from "dray/http";
import type { WatchSettings } from "../config/index.ts";
import { type Attempt, type Deliveries, Delivering, type Subscription } from "../events/index.ts";
import { sinkOf } from "../sinks/index.ts";

export interface RunningSinks {
  /** Something has happened. */
  wake(): void;
  stop(hurry?: AbortSignal): Promise<void>;
}

/** What the sinks of a configuration are, made and not started. @throws DrayError `CONFIG_INVALID` naming a sink whose template cannot be used */
export const subscriptionsOf = (
  { sinks }: Pick<WatchSettings, "sinks">,
  clock: Clock,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<Subscription[]> =>
  Promise.all(
    sinks.map(async ({ sink, wants, quiet }) => ({
      sink: await sinkOf(sink, { clock, environment }),
      wants,
      ...(quiet === undefined ? {} : { quiet }),
    })),
  );

/** Starts a delivery to each. */
export const runSinks = (
  subscriptions: readonly Subscription[],
  deliveries: Deliveries,
  {
    clock,
    delivery,
    onAttempt,
  }: {
    readonly clock: Clock;
    readonly delivery: WatchSettings["delivery"];
    readonly onAttempt: (attempt: Attempt) => void;
  },
): RunningSinks => {
  const all = subscriptions.map((each) => new Delivering(deliveries, each, { clock, ...delivery, onAttempt }));
  for (const each of all) each.start();
  return {
    wake: () => {
      for (const each of all) each.wake();
    },
    stop: async (hurry) => {
      await Promise.all(all.map((each) => each.stop(hurry)));
    },
  };
};
