/**
 * Which images run: those that files name, those of an engine's containers, those of a cluster's pods. Imports references, the library's engines and
 * @dray/cloud; knows no policy but as data, and asks no registry.
 */
export { type FilesBelowOptions, filesBelow } from "./files-below.ts";
export { runningInCluster } from "./in-cluster.ts";
export { type RunningInEngineOptions, runningInEngine } from "./in-engine.ts";
export { runningInFiles } from "./in-files.ts";
export { type LabelledPolicy, policyOfLabels } from "./labels.ts";
export type { RunningImage } from "./running-image.ts";
