/**
 * What is known of one image by looking at its tag, or the reason why it is left out; and how that is written down. Imports `dray`'s words;
 * knows no registry, no cache and no state.
 */
export { decodeEntry, type EncodeEntryOptions, encodeEntry } from "./codec.ts";
export type { Excluded, ExcludedReason, ImageEntry, ImageInfo, ImagePlatform } from "./entry.ts";
export { isTime, type LabelTimes, labelTimes, timeIn } from "./times.ts";
