import { collect, loadManifest, type ReadableStore } from "dray/content";
import { LazyMap } from "dray/internal/async";
import {
  annotationKeys,
  annotationsOf,
  type Descriptor,
  isConfigType,
  isObject,
  largestManifest,
  parseJson,
} from "dray/oci";

interface Lookup {
  readonly store: ReadableStore;
  readonly signal: AbortSignal;
  /** Times that are known, by digest of the manifest: many tags stand for one image. */
  readonly known: LazyMap<string, number | undefined>;
}

/**
 * Finds when the image behind a tag was created, milliseconds since 1970: from the annotation of its manifest, else from
 * its configuration; of an index from the first image in it. `undefined` where nothing says so.
 */
export const creationTimes = (
  store: ReadableStore,
  signal: AbortSignal,
): ((tag: string) => Promise<number | undefined>) => {
  const lookup: Lookup = { store, signal, known: new LazyMap() };
  return async (tag) => timeOf(lookup, await store.resolve(tag, { signal }));
};

const timeOf = (lookup: Lookup, descriptor: Descriptor): Promise<number | undefined> =>
  lookup.known.get(descriptor.digest, () => readTime(lookup, descriptor));

const readTime = async (lookup: Lookup, descriptor: Descriptor): Promise<number | undefined> => {
  const { store, signal } = lookup;
  const { parsed } = await loadManifest(store, descriptor, { signal });
  const annotated = timeIn(annotationsOf(parsed)?.[annotationKeys.created]);
  if (annotated !== undefined) return annotated;
  if (parsed.kind === "index") {
    const first = parsed.index.manifests.find(({ platform }) => platform?.os !== "unknown");
    return first === undefined ? undefined : timeOf(lookup, first);
  }
  if (parsed.kind !== "manifest") return undefined;
  const { config } = parsed.manifest;
  if (!isConfigType(config.mediaType)) return undefined;
  const document = parseJson(
    await collect(store.read(config, { signal }), largestManifest, "configuration"),
    "configuration",
  );
  return isObject(document) ? timeIn(document["created"]) : undefined;
};

const timeIn = (text: unknown): number | undefined => {
  const time = typeof text === "string" ? Date.parse(text) : Number.NaN;
  return Number.isNaN(time) ? undefined : time;
};
