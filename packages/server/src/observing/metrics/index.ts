/** What Prometheus scrapes: distribution's names and ours. Plain counters, told through prom-client when somebody asks. */
export { type CacheCounts, Metrics, openMetrics, type Readings } from "./metrics.ts";
