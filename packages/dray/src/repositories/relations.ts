import { forEachConcurrent } from "../async/index.ts";
import type { Cancel } from "../content/index.ts";
import { isDrayError } from "../errors.ts";
import { type Digest, isIndexType, isManifestType, parseManifest, subjectOf } from "../oci/index.ts";
import type { ListedManifest, Repository } from "../registry/index.ts";

/** What manifests say of one another. */
export type Relations = ReadonlyMap<Digest, Relation>;

interface Relation {
  /** The manifests that an index names. */
  readonly children: readonly Digest[];
  /** What it says something about. */
  readonly subject?: Digest | undefined;
}

const readsAtOnce = 8;

export interface ReadRelations {
  readonly relations: Relations;
  /** What cannot be read, of which nothing is known. */
  readonly unread: ReadonlySet<Digest>;
  /** Why nothing may be concluded, where one of those is a root. */
  readonly held?: string | undefined;
}

/**
 * Reads what may name others or refer to them: indexes, and all that is no root. An image that is a root needs no manifest, whatever it refers to.
 */
export const relationsOf = async (
  repository: Repository,
  known: ReadonlyMap<Digest, ListedManifest>,
  { isRoot, signal }: Cancel & { readonly isRoot: (manifest: ListedManifest) => boolean },
): Promise<ReadRelations> => {
  const relations = new Map<Digest, Relation>();
  const unread = new Set<Digest>();
  let held: string | undefined;
  await forEachConcurrent(known.values(), readsAtOnce, async (each) => {
    const { digest, mediaType } = each;
    if (isRoot(each) && isManifestType(mediaType)) return void relations.set(digest, { children: [] });
    try {
      const { bytes, descriptor } = await repository.manifest(digest, { signal });
      const parsed = parseManifest(bytes, descriptor.mediaType);
      const children = parsed.kind === "index" ? parsed.index.manifests.map((child) => child.digest) : [];
      relations.set(digest, { children, subject: subjectOf(parsed)?.digest });
    } catch (error) {
      const isDamaged = isDrayError(error, "MANIFEST_INVALID", "LIMIT_EXCEEDED", "DIGEST_MISMATCH", "SIZE_MISMATCH");
      // What went meanwhile needs nothing.
      if (!isDamaged && !isDrayError(error, "NOT_FOUND")) throw error;
      unread.add(digest);
      if (isDamaged && (isRoot(each) || isIndexType(mediaType))) held ??= error.message;
    }
  });
  return { relations, unread, held };
};

/** What names or refers to others before those: registries do not let go of what is still named. */
export const inOrderOfDeletion = (manifests: readonly ListedManifest[], relations: Relations): ListedManifest[] => {
  const left = new Map(manifests.map((each) => [each.digest, each]));
  const last: ListedManifest[] = [];
  const visit = (digest: Digest): void => {
    const manifest = left.get(digest);
    if (manifest === undefined || !left.delete(digest)) return;
    const { children = [], subject } = relations.get(digest) ?? {};
    for (const next of subject === undefined ? children : [...children, subject]) visit(next);
    last.push(manifest);
  };
  for (const { digest } of manifests) visit(digest);
  return last.reverse();
};
