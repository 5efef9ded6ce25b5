import type { Metric, Registry } from "prom-client";
import type { Family } from "./families.ts";

/** The registry of prom-client. */
export type PromRegistry = Registry;

/** Families of metrics, and the page that tells them. One to a process: it tells of the process, too. */
export class MetricsPage {
  readonly #registry: Registry;

  /** @param registry of prom-client; made by `promRegistry` */
  constructor(registry: Registry) {
    this.#registry = registry;
  }

  /**
   * Tells these, too. prom-client's own counters cost a map of labels for each value that is observed; ours are plain numbers, handed
   * over when it asks, in the shape its own metrics give.
   */
  add(families: Iterable<Family>): void {
    for (const of of families) {
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
      this.#registry.registerMetric({ name, get } as unknown as Metric);
    }
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  /** The page, in the text format of Prometheus. */
  text(): Promise<string> {
    return this.#registry.metrics();
  }
}

/** What a page is made of. `processes`: tell of memory, processor time and files of this process, too; default `true`. */
export const promRegistry = async ({ processes = true }: { processes?: boolean } = {}): Promise<Registry> => {
  // Loaded by whoever wants metrics; most starts of a program do not.
  const client = (await import("prom-client")).default;
  const registry = new client.Registry();
  if (processes) client.collectDefaultMetrics({ register: registry });
  return registry;
};
