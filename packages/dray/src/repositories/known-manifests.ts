import { forEachConcurrent } from "../async/index.ts";
import type { Cancel } from "../content/index.ts";
import { isDrayError } from "../errors.ts";
import { childrenOf, type Descriptor, type Digest, isDigest, isIndexType, parseManifest } from "../oci/index.ts";
import type { Contents, ListedManifest, Repository } from "../registry/index.ts";

/** Look-ups of one repository at the same time. */
export const asksAtOnce = 8;

/** The manifests of a repository: those that it lists, else those that its tags lead to, down through indexes and up to what refers to them. */
export const knownManifests = async (
  repository: Repository,
  { manifests, tags }: Contents,
  { signal }: Cancel,
): Promise<ReadonlyMap<Digest, ListedManifest>> => {
  if (manifests !== undefined) return manifests;
  const known = new Map<Digest, ListedManifest>();
  const add = ({ digest, mediaType }: Descriptor, tag?: string): boolean => {
    const before = known.get(digest);
    const all = [...(before?.tags ?? []), ...(tag === undefined ? [] : [tag])];
    known.set(digest, { digest, mediaType, size: 0, tags: all });
    return before === undefined;
  };
  let level: Descriptor[] = [];
  await forEachConcurrent(tags, asksAtOnce, async (tag) => {
    const found = await repository.lookUp(tag, { signal });
    if (found !== undefined && add(found, tag)) level.push(found);
  });
  while (level.length > 0) {
    const next: Descriptor[] = [];
    await forEachConcurrent(level, asksAtOnce, async (descriptor) => {
      for (const found of await ledTo(repository, descriptor, { signal })) if (add(found)) next.push(found);
    });
    level = next;
  }
  return known;
};

/** The manifests that one names or that refer to it, and that are there. */
const ledTo = async (repository: Repository, descriptor: Descriptor, { signal }: Cancel): Promise<Descriptor[]> => {
  const found: Descriptor[] = [];
  for await (const referrer of repository.referrers(descriptor, { signal })) found.push(referrer);
  if (isIndexType(descriptor.mediaType)) found.push(...(await entriesOf(repository, descriptor, { signal })));
  // A sparse index, or a list that clients keep, may name what is not there.
  const there = await Promise.all(found.map(({ digest }) => repository.lookUp(digest, { signal })));
  return there.filter((each) => each !== undefined);
};

/** What is damaged is told of by who reads it to find out what may be deleted. */
const entriesOf = async (
  repository: Repository,
  { digest, mediaType }: Descriptor,
  { signal }: Cancel,
): Promise<readonly Descriptor[]> => {
  const { bytes } = await repository.manifest(digest, { signal });
  try {
    return childrenOf(parseManifest(bytes, mediaType));
  } catch (error) {
    if (isDrayError(error, "MANIFEST_INVALID", "LIMIT_EXCEEDED")) return [];
    throw error;
  }
};

/** The image that a tag is about by its name, as `sha256-….sig` is; nothing for any other tag. */
export const subjectInTag = (tag: string): Digest | undefined => {
  const [, algorithm, hex] = /^(sha256|sha512)-([0-9a-f]{64,128})(?:\..+)?$/.exec(tag) ?? [];
  const subject = `${algorithm}:${hex}`;
  return isDigest(subject) ? subject : undefined;
};

/** Tags that stand for something about an image, by its digest, which is not there any more. */
export const orphanedTags = async (
  repository: Repository,
  known: ReadonlyMap<Digest, ListedManifest>,
  { signal }: Cancel,
): Promise<ReadonlyMap<string, Digest>> => {
  const orphans = new Map<string, Digest>();
  const tags = [...known.values()].flatMap((each) => each.tags);
  await forEachConcurrent(tags, asksAtOnce, async (tag) => {
    const subject = subjectInTag(tag);
    if (subject === undefined || known.has(subject)) return;
    if ((await repository.lookUp(subject, { signal })) === undefined) orphans.set(tag, subject);
  });
  return orphans;
};
