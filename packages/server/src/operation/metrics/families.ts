import type { Metric, Registry } from "prom-client";
import type { Histogram } from "./histogram.ts";

export type Labels = Readonly<Record<string, string>>;

/** A metric: a name, and values that are read when somebody scrapes. */
export interface Family {
  readonly name: string;
  readonly help: string;
  readonly type: "counter" | "gauge" | "histogram";
  values(): Iterable<Value> | Promise<Iterable<Value>>;
}

interface Value {
  readonly value: number;
  readonly labels?: Labels;
  /** Of a histogram's parts: `NAME_bucket`. */
  readonly metricName?: string;
}

/**
 * Lets the registry of prom-client tell a family. prom-client's own counters cost a map of labels for each value that is observed;
 * ours are plain numbers, handed over when it asks, in the shape its own metrics give.
 */
export const register = (registry: Registry, of: Family): void => {
  const { name, help, type } = of;
  const get = async (): Promise<object> => {
    const family = { name, help, type, aggregator: "sum" };
    try {
      return { ...family, values: [...(await of.values())] };
    } catch {
      // What cannot be told now is missing; the rest of the page is wanted all the more.
      return { ...family, values: [] };
    }
  };
  registry.registerMetric({ name, get } as unknown as Metric);
};

/** What a histogram tells under a name. */
export function* bucketsOf(name: string, labels: Labels, histogram: Histogram): Generator<Value> {
  const { buckets, sum, count } = histogram.read();
  for (const [le, value] of buckets) yield { metricName: `${name}_bucket`, labels: { ...labels, le }, value };
  yield { metricName: `${name}_sum`, labels, value: sum };
  yield { metricName: `${name}_count`, labels, value: count };
}
