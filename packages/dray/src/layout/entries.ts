import {
  type Annotations,
  annotationKeys,
  type Descriptor,
  type Digest,
  type Index,
  mediaTypes,
} from "../oci/index.ts";

/** The index of a layout that holds nothing yet. */
export const emptyIndex: Index = { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [] };

/** Names of an entry: the specification's annotation first, then the one that containerd adds with the whole reference. */
export const namesOf = (entry: Descriptor): readonly string[] => {
  const known = namesKnown.get(entry);
  if (known !== undefined) return known;
  const { annotations } = entry;
  const names = [annotations?.[annotationKeys.refName], annotations?.[annotationKeys.containerdName]];
  const found = [...new Set(names.filter((name) => name !== undefined && name !== ""))] as string[];
  namesKnown.set(entry, found);
  return found;
};

/** Entries and indexes never change; in a large layout each is asked for its names thousands of times. */
const namesKnown = new WeakMap<Descriptor, readonly string[]>();
const entriesKnown = new WeakMap<Index, ReadonlyMap<string, Descriptor>>();
const digestsKnown = new WeakMap<Index, ReadonlyMap<Digest, Descriptor>>();
const listsKnown = new WeakMap<Index, readonly string[]>();

/** The entry of this name. Tools that only ever append leave several behind; the last is the newest. */
export const findNamed = (index: Index, name: string): Descriptor | undefined => {
  let known = entriesKnown.get(index);
  if (known === undefined) entriesKnown.set(index, (known = byName(index)));
  return known.get(name);
};

/** The last entry of each name; a name of its own comes before the one that containerd adds. */
const byName = ({ manifests }: Index): ReadonlyMap<string, Descriptor> => {
  const found = new Map<string, Descriptor>();
  for (const entry of manifests) for (const name of namesOf(entry).slice(1)) found.set(name, entry);
  for (const entry of manifests) for (const name of namesOf(entry).slice(0, 1)) found.set(name, entry);
  return found;
};

/** The entry of a digest; the first where there are several. */
export const findDigest = (index: Index, digest: Digest): Descriptor | undefined => {
  let known = digestsKnown.get(index);
  if (known === undefined)
    digestsKnown.set(
      index,
      (known = new Map(index.manifests.map((entry) => [entry.digest, entry] as const).reverse())),
    );
  return known.get(digest);
};

/** The name by which the entries of an index are listed, each once. */
export const listNames = (index: Index): readonly string[] => {
  let known = listsKnown.get(index);
  if (known === undefined)
    listsKnown.set(
      index,
      (known = [...new Set(index.manifests.flatMap((entry) => namesOf(entry).slice(0, 1)))].sort()),
    );
  return known;
};

/** Whether an entry has this name or digest. */
export const hasEntry = ({ manifests }: Index, nameOrDigest: string): boolean =>
  manifests.some((entry) => entry.digest === nameOrDigest || namesOf(entry).includes(nameOrDigest));

/** A descriptor as an entry: without the names it had elsewhere. The order of its members is the one that crane writes. */
export const entryOf = (descriptor: Descriptor, name: Annotations): Descriptor => {
  const { mediaType, size, digest, annotations, ...others } = descriptor;
  const {
    [annotationKeys.refName]: _refName,
    [annotationKeys.containerdName]: _containerdName,
    ...kept
  } = annotations ?? {};
  const all: Annotations = { ...kept, ...name };
  return { mediaType, size, digest, ...(Object.keys(all).length > 0 ? { annotations: all } : {}), ...others };
};
