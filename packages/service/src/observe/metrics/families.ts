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

/** What a histogram tells under a name. */
export function* bucketsOf(name: string, labels: Labels, histogram: Histogram): Generator<Value> {
  const { buckets, sum, count } = histogram.read();
  for (const [le, value] of buckets) yield { metricName: `${name}_bucket`, labels: { ...labels, le }, value };
  yield { metricName: `${name}_sum`, labels, value: sum };
  yield { metricName: `${name}_count`, labels, value: count };
}

type Read = () => number | Promise<number>;

/** A single number that goes up and down. */
export const gauge = (name: string, help: string, read: Read): Family => ({
  name,
  help,
  type: "gauge",
  values: async () => [{ value: await read() }],
});

/** A single number that only grows. */
export const counter = (name: string, help: string, read: Read): Family => ({
  ...gauge(name, help, read),
  type: "counter",
});
