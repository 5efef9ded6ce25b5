import { bucketsOf, type Family, Histogram } from "@dray/service/observe";
import { type Clock, systemClock } from "dray/http";

/** Seconds: Prometheus's own bounds, and a minute. */
const bounds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 60];

/** What is known of each piece of work beside whether it succeeded. */
export type WorkLabels = Readonly<Record<string, string>>;

/**
 * Durations of one kind of work, by labels of its own and by `success` (`true`, `false`), as a histogram for Prometheus. Work is counted when it
 * ends, however it ends.
 * @example
 * const durations = new Durations("flux_client_fetch_duration_seconds", "Requests of metadata of remote images.");
 * await durations.of({ kind: "tags" }, () => client.tags());
 */
export class Durations {
  readonly #name: string;
  readonly #help: string;
  readonly #clock: Pick<Clock, "now">;
  readonly #histograms = new Map<string, { readonly labels: WorkLabels; readonly histogram: Histogram }>();

  constructor(name: string, help: string, { clock = systemClock }: { readonly clock?: Pick<Clock, "now"> } = {}) {
    this.#name = name;
    this.#help = help;
    this.#clock = clock;
  }

  /** Does the work and counts it. What it returns and throws is the caller's. */
  async of<T>(labels: WorkLabels, work: () => Promise<T>): Promise<T> {
    const began = this.#clock.now();
    try {
      const result = await work();
      this.#ended(labels, true, began);
      return result;
    } catch (error) {
      this.#ended(labels, false, began);
      throw error;
    }
  }

  /** Counts work that somebody else has done and timed. */
  observe(labels: WorkLabels, success: boolean, seconds: number): void {
    const all = { ...labels, success: String(success) };
    const key = JSON.stringify(all);
    const known = this.#histograms.get(key) ?? { labels: all, histogram: new Histogram(bounds) };
    this.#histograms.set(key, known);
    known.histogram.observe(seconds);
  }

  /** What a page of metrics tells. */
  family(): Family {
    const name = this.#name;
    return {
      name,
      help: this.#help,
      type: "histogram",
      values: () => [...this.#histograms.values()].flatMap((each) => [...bucketsOf(name, each.labels, each.histogram)]),
    };
  }

  #ended(labels: WorkLabels, success: boolean, began: number): void {
    // A clock may be set back meanwhile.
    this.observe(labels, success, Math.max(0, this.#clock.now() - began) / 1000);
  }
}
