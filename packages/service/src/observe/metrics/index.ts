/** What Prometheus scrapes: plain counters, told through prom-client when somebody asks. */
export { bucketsOf, counter, type Family, gauge } from "./families.ts";
export { Histogram } from "./histogram.ts";
export { HttpMetrics } from "./http.ts";
export { MetricsPage, type PromRegistry, promRegistry } from "./page.ts";
