import { type Compare, newestNaturally } from "./natural.ts";

/** The first day on which there could be an image: what claims to be older was built with its clock taken away. */
const firstImage = Date.UTC(2013, 0, 1);
/** How far the clocks of others may be ahead. */
const ahead = 86_400_000;

/**
 * A time that can be believed, in milliseconds since 1970, else `undefined`. 1970 and 1980 stand for "no time" in reproducible builds (Bazel, Nix,
 * buildpacks), the year 1 in Go, and what lies more than a day ahead of `now` would be too young for ever: all of them are unknown.
 * @param time milliseconds, a `Date`, or RFC 3339
 * @example knownTime("1980-01-01T00:00:01Z") // undefined
 */
export const knownTime = (time: number | Date | string | undefined, now: number = Date.now()): number | undefined => {
  const at = typeof time === "string" ? Date.parse(time) : time === undefined ? Number.NaN : Number(time);
  return at >= firstImage && at <= now + ahead ? at : undefined;
};

/** An age for people, in its largest unit: `3d`, `5h`, `12m`, `0m`. @param milliseconds below zero counts as none */
export const ageText = (milliseconds: number): string => {
  const minutes = Math.max(0, Math.floor(milliseconds / 60_000));
  if (minutes < 60) return `${minutes}m`;
  return minutes < 48 * 60 ? `${Math.floor(minutes / 60)}h` : `${Math.floor(minutes / 1440)}d`;
};

/** A tag, and when its image was created. */
export interface CreatedTag {
  readonly tag: string;
  /** Milliseconds since 1970; `undefined` where the image does not say. */
  readonly created?: number | undefined;
}

/** Created last first; without a time last, and among equals by `newestNaturally`. */
export const newestCreated: Compare<CreatedTag> = (a, b) =>
  (b.created ?? Number.NEGATIVE_INFINITY) - (a.created ?? Number.NEGATIVE_INFINITY) || newestNaturally(a.tag, b.tag);
