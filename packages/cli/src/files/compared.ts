import type { Located, ReadableStore } from "dray/content";
import { DrayError } from "dray/errors";
import { type Image, type ImageIndex, viewOf } from "dray/image";
import { openImage } from "dray/locations";
import { formatPlatform, normalizePlatform, type Platform, type WantedPlatform } from "dray/oci";
import type { Call } from "../context.ts";
import { calling } from "../typed-as.ts";
import type { CacheOptions } from "./cache.ts";
import { openedImage } from "./open.ts";

/** Two images of one platform; one of them may be missing. */
export interface ComparedPair {
  readonly platform: string;
  readonly before: Image | undefined;
  readonly after: Image | undefined;
}

/** Two places that are compared. */
export interface Compared {
  readonly before: string;
  readonly after: string;
  /** Their digests. */
  readonly digests: readonly [before: string, after: string];
  readonly pairs: readonly ComparedPair[];
}

/**
 * What is compared: the platforms that were named, else the one that an image has, else all that either index has.
 * @throws DrayError `NOT_FOUND` where one of them lacks a platform that was named
 */
export const comparedImages = async (call: Call<CacheOptions>, before: string, after: string): Promise<Compared> => {
  const { signal, options } = call;
  const view = async (location: string): Promise<{ located: Located<ReadableStore>; view: Image | ImageIndex }> => {
    const located = await openedImage(call, location);
    const found = await located.store.resolve(located.name, { signal });
    return { located, view: await calling(location, () => viewOf(located.store, found, { signal })) };
  };
  const [one, other] = [await view(before), await view(after)];
  const digests = [one.view.descriptor.digest, other.view.descriptor.digest] as const;
  const imageOf = (place: typeof one, platform: string | WantedPlatform): Promise<Image> =>
    place.view.kind === "image"
      ? Promise.resolve(place.view)
      : openImage({ ...place.located, name: place.view.descriptor.digest }, { platform, signal });
  const { platform: named = [] } = options;
  const pairs: ComparedPair[] = [];
  const asked = named.length > 0 ? named.map((each) => ({ ...each })) : await platformsOf(one.view, other.view);
  for (const platform of asked) {
    const text = formatPlatform(platform as Platform);
    const there = async (place: typeof one): Promise<Image | undefined> => {
      try {
        return await imageOf(place, platform);
      } catch (error) {
        if (named.length === 0 && error instanceof DrayError && error.code === "NOT_FOUND") return undefined;
        throw error;
      }
    };
    pairs.push({ platform: text, before: await there(one), after: await there(other) });
  }
  return { before, after, digests, pairs };
};

/** The platforms that there are to compare. */
const platformsOf = async (one: Image | ImageIndex, other: Image | ImageIndex): Promise<readonly WantedPlatform[]> => {
  const images = [one, other].filter((view) => view.kind === "image");
  const [image] = images;
  if (image !== undefined) return [(await image.platform()) ?? { os: "unknown", architecture: "unknown" }];
  const found = new Map<string, WantedPlatform>();
  for (const view of [one, other])
    if (view.kind === "index")
      for (const { platform } of (await view.index()).manifests) {
        if (platform === undefined || platform.os === "unknown") continue;
        const plain = normalizePlatform(platform);
        if (!found.has(formatPlatform(plain))) found.set(formatPlatform(plain), platform);
      }
  return [...found.values()];
};
