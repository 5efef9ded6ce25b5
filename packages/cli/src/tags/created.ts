import type { ReadableStore } from "dray/content";
import { LazyMap } from "dray/internal/async";
import { annotationKeys, annotationsOf, type Descriptor, type ParsedManifest } from "dray/oci";
import { firstImage, type Look, lookInto } from "./look.ts";

/**
 * Finds when the image behind a tag was created, milliseconds since 1970: from the annotation of its manifest, else from
 * its configuration; of an index from the first image in it. `undefined` where nothing says so. Times are kept by digest: many tags stand for one image.
 */
export const creationTimes = (
  store: ReadableStore,
  signal: AbortSignal,
): ((tag: string) => Promise<number | undefined>) => {
  const known = new LazyMap<string, number | undefined>();
  const timeOf = (descriptor: Descriptor): Promise<number | undefined> =>
    known.get(descriptor.digest, async () => {
      const look = await lookInto(store, descriptor, signal);
      const first = annotated(look.parsed) === undefined ? firstImage(look.parsed) : undefined;
      return first === undefined ? createdIn(look) : timeOf(first);
    });
  return async (tag) => timeOf(await store.resolve(tag, { signal }));
};

/** When an image that is looked into was created. */
export const createdIn = async ({ parsed, config, first }: Look): Promise<number | undefined> => {
  const said = annotated(parsed);
  if (said !== undefined) return said;
  const image = await first();
  return image === undefined ? timeIn((await config())?.["created"]) : createdIn(image);
};

const annotated = (parsed: ParsedManifest): number | undefined =>
  timeIn(annotationsOf(parsed)?.[annotationKeys.created]);

const timeIn = (text: unknown): number | undefined => {
  const time = typeof text === "string" ? Date.parse(text) : Number.NaN;
  return Number.isNaN(time) ? undefined : time;
};
