/** Images, indexes and artifacts as plain bytes, the same for the same seed. */
export { type SampleArtifactOptions, sampleArtifact } from "./artifact.ts";
export { type SampleImage, type SampleImageOptions, sampleImage } from "./image.ts";
export { put, type Sample } from "./sample.ts";
export { type SampleIndex, type SampleIndexOptions, sampleIndex } from "./sample-index.ts";
export { type TarEntry, tar } from "./tar.ts";
