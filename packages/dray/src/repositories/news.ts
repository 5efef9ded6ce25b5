import { mapOrdered } from "../async/index.ts";
import type { Cancel, Located } from "../content/index.ts";
import type { CopyPair } from "../copy/index.ts";
import { isDrayError } from "../errors.ts";
import type { Digest } from "../oci/index.ts";
import type { Contents, Repository } from "../registry/index.ts";

/** What counts as news. */
export interface NewsOptions extends Cancel {
  /** `false`: a tag that the target has is none, whatever it stands for there. Default `true`. */
  readonly clobber?: boolean | undefined;
  /** `true`: also tags that are the same: for who looks for what refers to them. Default `false`. */
  readonly unchanged?: boolean | undefined;
}

/** Tags that are asked for at the same time. */
const tagsAtOnce = 16;

/**
 * What a repository has and another lacks, or has under the same tag otherwise, as pairs for `copyAll`. Where both registries tell the digests with
 * their lists, that takes no request but the target's list; where one does not, one HEAD there for each tag that both have. What has no
 * tag is among it where the source tells of it.
 * @param contents what the source holds, as a walk found it
 * @example
 * for await (const found of walkRepositories(from, "team"))
 *   if (found.error === undefined)
 *     await copyAll(await newsBetween(found.repository, found.contents, to.repository(`mirror/${found.path}`)));
 */
export const newsBetween = async (
  source: Repository,
  contents: Contents,
  target: Repository,
  { clobber = true, unchanged = false, signal }: NewsOptions = {},
): Promise<CopyPair[]> => {
  const there = await contentsIfAny(target, signal);
  const pair = (name: string): CopyPair => ({ source: located(source, name), target: located(target, name) });
  const had = digestsByTag(target, there, signal);
  const wanted = digestsByTag(source, contents, signal);
  const isNew = async (tag: string): Promise<boolean> => {
    if (!had.tags.has(tag)) return true;
    if (!clobber || unchanged) return clobber;
    const [is, was] = await Promise.all([wanted.digestOf(tag), had.digestOf(tag)]);
    return is === undefined || is !== was;
  };
  const pairs: CopyPair[] = [];
  const judged = mapOrdered(wanted.tags, tagsAtOnce, async (tag) => ({ tag, isNew: await isNew(tag) }));
  for await (const { tag, isNew } of judged) if (isNew) pairs.push(pair(tag));
  const untagged = [...(contents.manifests?.values() ?? [])].filter(({ tags }) => tags.length === 0);
  const lacking = mapOrdered(untagged, tagsAtOnce, async ({ digest }) => ({
    digest,
    isThere: there.manifests?.has(digest) ?? (await target.lookUp(digest, { signal })) !== undefined,
  }));
  for await (const { digest, isThere } of lacking) if (!isThere) pairs.push(pair(digest));
  return pairs;
};

const contentsIfAny = async (repository: Repository, signal: AbortSignal | undefined): Promise<Contents> => {
  try {
    return await repository.contents({ signal });
  } catch (error) {
    if (isDrayError(error, "NOT_FOUND")) return { tags: [], manifests: new Map(), children: undefined };
    throw error;
  }
};

interface DigestsByTag {
  readonly tags: ReadonlySet<string>;
  /** `undefined`: the tag went meanwhile. */
  readonly digestOf: (tag: string) => Digest | undefined | Promise<Digest | undefined>;
}

const digestsByTag = (
  repository: Repository,
  { manifests, tags }: Contents,
  signal: AbortSignal | undefined,
): DigestsByTag => {
  if (manifests === undefined)
    return { tags: new Set(tags), digestOf: async (tag) => (await repository.lookUp(tag, { signal }))?.digest };
  const digests = new Map([...manifests.values()].flatMap((each) => each.tags.map((tag) => [tag, each.digest])));
  return { tags: new Set(digests.keys()), digestOf: (tag) => digests.get(tag) };
};

const located = (store: Repository, name: string): Located<Repository> => ({
  store,
  name,
  location: `${store.registry}/${store.name}${name.includes(":") ? "@" : ":"}${name}`,
});
