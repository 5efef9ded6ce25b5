import type { Clock } from "dray/http";
import { Durations } from "../durations.ts";
import type { Registry } from "./registry.ts";

/** How long answers take, as flux has told it: `flux_registry_fetch_duration_seconds` by `success`. */
export const registryDurations = (options?: { readonly clock?: Pick<Clock, "now"> }): Durations =>
  new Durations("flux_registry_fetch_duration_seconds", "Duration of image metadata fetches, in seconds.", options);

/**
 * A registry whose answers are counted, by whether they succeeded.
 * @example const registry = instrumentedRegistry(knownRegistry(known), registryDurations());
 */
export const instrumentedRegistry = (registry: Registry, durations: Durations): Registry => ({
  getRepositoryMetadata: (asked) => durations.of({}, () => registry.getRepositoryMetadata(asked)),
  getImage: (asked) => durations.of({}, () => registry.getImage(asked)),
  images: (asked, options) => durations.of({}, () => registry.images(asked, options)),
});
