import { type Annotations, annotationKeys, type Descriptor, type Index, mediaTypes } from "../oci/index.ts";

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

/** The name by which the entries of an index are listed, each once. */
export const listNames = ({ manifests }: Index): string[] =>
  [...new Set(manifests.flatMap((entry) => namesOf(entry).slice(0, 1)))].sort();

/**
 * Gives content a name: its entry takes the place of the one that has the name, or of its own unnamed one, or comes last.
 * Members that we do not know, and other entries, stay as they are. The same again changes nothing.
 */
export const withName = (index: Index, descriptor: Descriptor, name: string): Index => {
  const entry = entryOf(descriptor, { [annotationKeys.refName]: name });
  const takes = index.manifests.filter(
    (other) => namesOf(other).includes(name) || (other.digest === entry.digest && namesOf(other).length === 0),
  );
  const [place] = takes;
  if (place === undefined) return { ...index, manifests: [...index.manifests, entry] };
  if (takes.length === 1 && place.digest === entry.digest && namesOf(place)[0] === name) return index;
  return {
    ...index,
    manifests: index.manifests.flatMap((other) => (other === place ? [entry] : takes.includes(other) ? [] : [other])),
  };
};

/** Sees to it that content has an entry, with a name or without. */
export const withEntry = (index: Index, descriptor: Descriptor): Index =>
  index.manifests.some(({ digest }) => digest === descriptor.digest)
    ? index
    : { ...index, manifests: [...index.manifests, entryOf(descriptor, {})] };

/** Without the entries that have this name or digest; the same index when there are none. */
export const withoutEntries = (index: Index, nameOrDigest: string): Index => {
  const manifests = index.manifests.filter(
    (entry) => entry.digest !== nameOrDigest && !namesOf(entry).includes(nameOrDigest),
  );
  return manifests.length === index.manifests.length ? index : { ...index, manifests };
};

/** A descriptor as an entry: without the names it had elsewhere. The order of its members is the one that crane writes. */
const entryOf = (descriptor: Descriptor, name: Annotations): Descriptor => {
  const { mediaType, size, digest, annotations, ...others } = descriptor;
  const {
    [annotationKeys.refName]: _refName,
    [annotationKeys.containerdName]: _containerdName,
    ...kept
  } = annotations ?? {};
  const all: Annotations = { ...kept, ...name };
  return { mediaType, size, digest, ...(Object.keys(all).length > 0 ? { annotations: all } : {}), ...others };
};
