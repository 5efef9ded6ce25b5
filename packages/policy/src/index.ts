/** Which tag of a repository is wanted, and why. Pure: what is known of images is told by whoever asks. */
export * from "./choose/index.ts";
export * from "./filter/index.ts";
export * from "./flux/index.ts";
export { type Compare, compareText, firstOf, newestNaturally } from "./natural.ts";
export * from "./newer/index.ts";
export { pinnedTo, type TagAndDigest } from "./pinned.ts";
export * from "./policy/index.ts";
export { ageText, type CreatedTag, knownTime, newestCreated } from "./times.ts";
export * from "./version/index.ts";
