/**
 * What is known of images, for whoever asks: never asks a registry. Over the file of a watch, or over a cache that somebody else fills. Imports rooms
 * below; knows no queue and no HTTP.
 */
export { cacheImages } from "./cache-images.ts";
export { instrumentedRegistry, registryDurations } from "./instrumented.ts";
export type { KnownImages, KnownRepository, KnownTag, LastError } from "./known.ts";
export { knownRegistry } from "./known-registry.ts";
export { withLabelTimes } from "./label-times.ts";
export type { ImageSort, ImagesOptions, KnownImage, Registry, RepositoryMetadata, Stale } from "./registry.ts";
export { scanDisabledRegistry } from "./scan-disabled.ts";
export { stateImages } from "./state-images.ts";
