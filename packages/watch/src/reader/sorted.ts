import { knownTime, newestCreated, newestVersion, versionedTag } from "@dray/policy";
import type { ImageSort, KnownImage } from "./registry.ts";

/** Images by tag, best first. */
export const sorted = (images: ReadonlyMap<string, KnownImage>, sort: ImageSort, now: number): KnownImage[] => {
  const all = [...images];
  if (sort === "tag") return all.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)).map(([, image]) => image);
  if (sort === "semver")
    return all
      .map(([tag, image]) => ({ ...versionedTag(tag), image }))
      .sort(newestVersion)
      .map(({ image }) => image);
  return all
    .map(([tag, image]) => ({ tag, created: knownTime(image.createdAt, now), image }))
    .sort(newestCreated)
    .map(({ image }) => image);
};
