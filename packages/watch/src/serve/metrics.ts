import { counter, type Family, gauge, MetricsPage, promRegistry } from "@dray/service/observe";
import type { BudgetLimits } from "../budget/index.ts";
import type { Deliveries, EventLog } from "../events/index.ts";
import type { WatchFile } from "../file/index.ts";

/** Counts by labels, for a page of metrics. */
export class Counts {
  readonly #counts = new Map<string, { readonly labels: Readonly<Record<string, string>>; value: number }>();

  add(labels: Readonly<Record<string, string>>, by = 1): void {
    const key = JSON.stringify(labels);
    const known = this.#counts.get(key) ?? { labels, value: 0 };
    known.value += by;
    this.#counts.set(key, known);
  }

  family(name: string, help: string): Family {
    return { name, help, type: "counter", values: () => [...this.#counts.values()] };
  }
}

/** What is counted where it happens. */
export interface WatchCounts {
  readonly looks: Counts;
  readonly errors: Counts;
  readonly attempts: Counts;
  readonly webhooks: Counts;
}

export const watchCounts = (): WatchCounts => ({
  looks: new Counts(),
  errors: new Counts(),
  attempts: new Counts(),
  webhooks: new Counts(),
});

export interface MetricsParts {
  readonly file: WatchFile;
  readonly log: EventLog;
  readonly deliveries: Deliveries;
  readonly counts: WatchCounts;
  readonly lag: () => { readonly late: number; readonly due: number };
  readonly limits: () => readonly BudgetLimits[];
  readonly now: () => number;
  /** flux's own names, and whatever else others bring. */
  readonly families: readonly Family[];
}

/** The page of metrics of a watch. */
export const metricsPage = async ({
  file,
  log,
  deliveries,
  counts,
  lag,
  limits,
  now,
  families,
}: MetricsParts): Promise<MetricsPage> => {
  const page = new MetricsPage(await promRegistry());
  const one = (sql: string): number => Number(file.statements.get(sql)?.[0] ?? 0);
  const oldest = (): number => {
    const listed = one("SELECT min(listed) FROM repositories WHERE listed IS NOT NULL");
    return listed === 0 ? 0 : Math.max(0, now() - listed) / 1000;
  };
  page.add([
    ...families,
    gauge("dray_watch_repositories", "Repositories that are watched.", () => one("SELECT count(*) FROM repositories")),
    gauge("dray_watch_repositories_failing", "Repositories whose last look met a problem.", () =>
      one("SELECT count(*) FROM repositories WHERE code IS NOT NULL"),
    ),
    gauge("dray_watch_staleness_seconds", "Age of the oldest list of tags.", oldest),
    gauge(
      "dray_watch_queue_lag_seconds",
      "How late the repository is that has waited longest.",
      () => lag().late / 1000,
    ),
    gauge("dray_watch_queue_due", "Repositories that are due.", () => lag().due),
    gauge("dray_watch_events", "Events that are kept.", () => log.count),
    {
      name: "dray_watch_deliveries",
      help: "Deliveries of events, by sink and state.",
      type: "gauge",
      values: () => deliveries.counts().map(({ sink, state, count }) => ({ value: count, labels: { sink, state } })),
    },
    ...limitFamilies(limits, now),
    counts.looks.family("dray_watch_looks_total", "Looks at repositories, by whether all was found out."),
    counts.errors.family("dray_watch_errors_total", "What looks did not find out, by code."),
    counts.attempts.family("dray_watch_delivery_attempts_total", "Attempts at sinks, by how they ended."),
    counts.webhooks.family("dray_watch_webhooks_total", "Notices of registries, by what became of them."),
    counter("dray_watch_events_total", "Events that were ever seen.", () => log.end),
  ]);
  return page;
};

/** What registries allow whom, as far as they say it. */
const limitFamilies = (limits: () => readonly BudgetLimits[], now: () => number): Family[] => {
  const family = (name: string, help: string, valueOf: (limit: BudgetLimits) => number | undefined): Family => ({
    name,
    help,
    type: "gauge",
    values: () =>
      limits().flatMap((limit) => {
        const { registry, identity } = limit;
        const value = valueOf(limit);
        return value === undefined ? [] : [{ value, labels: { registry, identity } }];
      }),
  });
  const wait = ({ limitedUntil }: BudgetLimits): number =>
    limitedUntil === undefined ? 0 : Math.max(0, Date.parse(limitedUntil) - now()) / 1000;
  return [
    family("dray_watch_limit_requests", "Requests that a registry allows in a window.", ({ limit }) => limit),
    family(
      "dray_watch_limit_remaining",
      "Requests that are left, when the registry last said so.",
      (each) => each.remaining,
    ),
    family(
      "dray_watch_limit_reserved",
      "Requests of these that are left to whoever pulls.",
      ({ reserved }) => reserved,
    ),
    family("dray_watch_limited_seconds", "Seconds for which nothing is asked of a registry.", wait),
    family(
      "dray_watch_limit_refusals",
      "Answers in a row that said too much is asked.",
      ({ refusals = 0 }) => refusals,
    ),
  ];
};
