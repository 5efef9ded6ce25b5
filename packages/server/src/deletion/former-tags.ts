import { forEachConcurrent } from "dray/internal/async";
import { type Digest, isTag } from "dray/oci";
import type { DeletionContext } from "./unlink.ts";

/** A tag that stood for a manifest. */
export interface FormerTag {
  readonly tag: string;
  /** What it stands for now; nothing where it was deleted. */
  readonly now?: Digest;
}

/** Tags looked at side by side. */
const atOnce = 16;

/**
 * Tags that stood for a manifest and do not now, in byte order: by the note that a deletion leaves, and by the history of those that were
 * pushed over. Another program that deletes a tag leaves nothing.
 */
export const formerTags = async (
  { tree }: Pick<DeletionContext, "tree">,
  repository: string,
  digest: Digest,
): Promise<readonly FormerTag[]> => {
  const found: FormerTag[] = [];
  const there = await tree.tagFolders(repository);
  await forEachConcurrent(there, atOnce, async (tag) => {
    if (!isTag(tag) || (await tree.tagSetAt(repository, tag, digest)) === undefined) return;
    const now = (await tree.tag(repository, tag))?.digest;
    if (now !== digest) found.push(now === undefined ? { tag } : { tag, now });
  });
  const known = new Set(there);
  await forEachConcurrent(await tree.notes.deletedTags(repository), atOnce, async (tag) => {
    if (!isTag(tag) || known.has(tag)) return;
    if ((await tree.notes.deletedTag(repository, tag))?.digest === digest) found.push({ tag });
  });
  return found.sort((a, b) => (a.tag < b.tag ? -1 : 1));
};
