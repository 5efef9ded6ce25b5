import { forEachConcurrent } from "../async/index.ts";
import type { Cancel } from "../content/index.ts";
import { isDrayError, throwIfAborted } from "../errors.ts";
import { refuseNumber } from "../numbers.ts";
import type { Digest } from "../oci/index.ts";
import type { Contents, ListedManifest, Repository } from "../registry/index.ts";
import { asksAtOnce, knownManifests, orphanedTags, subjectInTag } from "./known-manifests.ts";
import { inOrderOfDeletion, type Relations, relationsOf } from "./relations.ts";

/** How garbage is told from what is needed. */
export interface GarbageOptions extends Cancel {
  /** Milliseconds: what has come to the registry within them stays, and so does what does not tell when it came, unless this is 0. Default a day. */
  readonly grace?: number | undefined;
  /** The time in milliseconds since 1970. */
  readonly now?: (() => number) | undefined;
}

/** A manifest that nobody needs. */
export interface Unneeded {
  readonly digest: Digest;
  /** The tag that it goes by where it has one: that of a signature or a list of referrers whose image is gone. */
  readonly tag?: string | undefined;
  /** Bytes of all that it names, as the registry counts them; 0 where it does not tell. */
  readonly size: number;
}

/** What of a repository nobody needs. */
export interface RepositoryGarbage {
  /** What may be deleted, in an order in which registries let it go: what refers to something before that. */
  readonly unneeded: readonly Unneeded[];
  /** Why nothing is unneeded, where a manifest that may need something cannot be read. */
  readonly held?: string | undefined;
  /**
   * What the repository held when it was looked through, since what has come later may need any of it: where the registry does not list its
   * manifests, those that were found, each with its tags.
   */
  readonly contents?: Pick<Contents, "tags" | "manifests"> | undefined;
}

/**
 * Everything in a repository that has no tag, needed or not, in the registry's order. Where the registry does not list its manifests: what those with a
 * tag have led to, as entries of an index or because it refers to them.
 * @example for (const { digest } of await untaggedIn(repository, await repository.contents())) console.log(digest);
 */
export const untaggedIn = async (
  repository: Repository,
  contents: Contents,
  options: Cancel = {},
): Promise<readonly ListedManifest[]> =>
  [...(await knownManifests(repository, contents, options)).values()].filter(({ tags }) => tags.length === 0);

/** A day: what is pushed by digest gets its tag, or its place in an index, sooner. */
const usualGrace = 86_400_000;

/**
 * What nobody needs in a repository. Needed is what has a tag, what is younger than the grace, what an index that is needed names, and what refers
 * to what is needed. Where the registry lists its manifests (Google's do), that is all there is. Others do not tell of what has no tag: there only what
 * was left behind is found, signatures and lists of referrers by tag (`sha256-….sig`) whose image is gone, and what only those lead to.
 *
 * A manifest of which others depend and that cannot be read holds everything.
 * @param contents as `repository.contents()` tells it
 * @throws DrayError what reading manifests throws
 * @example
 * const garbage = await garbageIn(repository, await repository.contents(), { grace: 7 * 86_400_000 });
 * await removeGarbage(repository, garbage);
 */
export const garbageIn = async (
  repository: Repository,
  contents: Contents,
  { grace = usualGrace, now = Date.now, signal }: GarbageOptions = {},
): Promise<RepositoryGarbage> => {
  refuseNumber("grace", grace, { from: 0, fractions: true });
  const known = await knownManifests(repository, contents, { signal });
  const orphans: ReadonlyMap<string, Digest> =
    contents.manifests === undefined ? await orphanedTags(repository, known, { signal }) : new Map();
  const isOld = ({ uploaded, created }: ListedManifest): boolean => {
    const since = uploaded ?? created;
    return grace === 0 || (since !== undefined && now() - since.getTime() >= grace);
  };
  const isRoot = (each: ListedManifest): boolean => !isOld(each) || each.tags.some((tag) => !orphans.has(tag));
  const reading = await relationsOf(repository, known, { isRoot, signal });
  if (reading.held !== undefined) return { unneeded: [], held: reading.held };
  const needed = needs(known, reading.relations, isRoot);
  const left = [...known.values()].filter(
    ({ digest }) => !needed.has(digest) && !reading.unread.has(digest) && reading.relations.has(digest),
  );
  return {
    unneeded: inOrderOfDeletion(left, reading.relations).map(({ digest, tags: [tag], size }) => ({
      digest,
      tag,
      size,
    })),
    contents: { tags: contents.tags, manifests: known },
  };
};

/** What is needed: roots, what they lead to, and what refers to any of it. */
const needs = (
  known: ReadonlyMap<Digest, ListedManifest>,
  relations: Relations,
  isRoot: (manifest: ListedManifest) => boolean,
): ReadonlySet<Digest> => {
  const referrers = new Map<Digest, Digest[]>();
  for (const [digest, { subject }] of relations)
    if (subject !== undefined) referrers.set(subject, [...(referrers.get(subject) ?? []), digest]);
  const needed = new Set<Digest>();
  const open = [...known.values()].filter(isRoot).map(({ digest }) => digest);
  for (let digest = open.pop(); digest !== undefined; digest = open.pop()) {
    if (needed.has(digest)) continue;
    needed.add(digest);
    open.push(...(relations.get(digest)?.children ?? []), ...(referrers.get(digest) ?? []));
  }
  return needed;
};

/** What became of garbage. */
export interface RemoveGarbageOptions extends Cancel {
  /** Hears of each that is gone. */
  readonly onRemoved?: ((unneeded: Unneeded) => void) | undefined;
}

/**
 * Deletes what nobody needs. The registry is asked once more before: where something has got a tag or has come meanwhile, it may need any of what
 * was found, as an index that was pushed over its images does: then nothing is deleted this time.
 * @returns what was deleted
 * @throws DrayError `UNSUPPORTED` where the registry does not delete, `DENIED`
 */
export const removeGarbage = async (
  repository: Repository,
  { unneeded, contents: before }: Pick<RepositoryGarbage, "unneeded" | "contents">,
  { signal, onRemoved }: RemoveGarbageOptions = {},
): Promise<readonly Unneeded[]> => {
  if (unneeded.length === 0) return [];
  const { tags, manifests } = await repository.contents({ signal });
  const isTagged = ({ digest }: Unneeded): boolean => (manifests?.get(digest)?.tags.length ?? 0) > 0;
  if (manifests !== undefined && unneeded.some(isTagged)) return [];
  if (before !== undefined && hasCome(before, { tags, manifests })) return [];
  if (manifests === undefined && (await hasMoved(repository, tags, unneeded, before?.manifests, signal))) return [];
  const removed: Unneeded[] = [];
  for (const each of unneeded) {
    throwIfAborted(signal);
    try {
      await repository.remove(each.digest, { signal });
    } catch (error) {
      // Somebody else was faster, or it went with what named it.
      if (!isDrayError(error, "NOT_FOUND")) throw error;
    }
    removed.push(each);
    onRemoved?.(each);
  }
  return removed;
};

const hasCome = (before: Pick<Contents, "tags" | "manifests">, now: Pick<Contents, "tags" | "manifests">): boolean => {
  const tags = new Set(before.tags);
  return (
    now.tags.some((tag) => !tags.has(tag)) ||
    [...(now.manifests?.keys() ?? [])].some((digest) => before.manifests?.has(digest) !== true)
  );
};

/**
 * Whether something has come to a registry that lists tags alone: a tag stands for something else than before, or there is again what a tag of
 * what was found is about, under whichever name.
 */
const hasMoved = async (
  repository: Repository,
  tags: readonly string[],
  unneeded: readonly Unneeded[],
  before: Contents["manifests"],
  signal: AbortSignal | undefined,
): Promise<boolean> => {
  const stoodFor = new Map([...(before ?? [])].flatMap(([digest, each]) => each.tags.map((tag) => [tag, digest])));
  let moved = false;
  await forEachConcurrent(stoodFor.size > 0 ? tags : [], asksAtOnce, async (tag) => {
    if (moved) return;
    const now = await repository.lookUp(tag, { signal });
    moved ||= now !== undefined && now.digest !== stoodFor.get(tag);
  });
  const subjects = unneeded.flatMap(({ tag }) => subjectInTag(tag ?? "") ?? []);
  await forEachConcurrent(moved ? [] : subjects, asksAtOnce, async (subject) => {
    moved ||= (await repository.lookUp(subject, { signal })) !== undefined;
  });
  return moved;
};
