/** APIs of registries' own that tell when tags were pushed: a file for each kind. Imports `repository.ts` and the library; keeps nothing. */
export { dockerHubTimes } from "./docker-hub.ts";
export { pushTimesFor } from "./for-registry.ts";
export { type GitHubTimesOptions, githubTimes } from "./github.ts";
export { harborTimes } from "./harbor.ts";
export type { PushedTag, PushTimes, PushTimesOptions } from "./push-times.ts";
export { quayTimes } from "./quay.ts";
