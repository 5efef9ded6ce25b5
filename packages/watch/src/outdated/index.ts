/**
 * Which of the images that run are not the newest that their policies allow. Imports `running/`, @dray/policy and the library's stores; how a
 * repository is reached is told by whoever asks.
 */

export type { AskedRepository } from "./asked-repository.ts";
export type { ImageState, NewestImage, OutdatedImage, RunsNow } from "./outdated-image.ts";
export { type OutdatedOptions, outdatedImages } from "./outdated-images.ts";
