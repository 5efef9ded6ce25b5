import { dockerHubTimes } from "./docker-hub.ts";
import type { PushTimes, PushTimesOptions } from "./push-times.ts";
import { quayTimes } from "./quay.ts";

/** What a registry's name alone tells that it has a list of times for everybody; `undefined` for others, whose kind and credentials somebody has to name. */
export const pushTimesFor = (registry: string, options: PushTimesOptions = {}): PushTimes | undefined => {
  if (registry === "docker.io") return dockerHubTimes(options);
  return registry === "quay.io" ? quayTimes(options) : undefined;
};
