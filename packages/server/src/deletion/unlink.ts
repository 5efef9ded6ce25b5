import { isDrayError } from "dray/errors";
import { errnoOf } from "dray/internal/files";
import type { Digest } from "dray/oci";
import type { Tree } from "../distribution-tree/index.ts";
import type { Metadata, Reconciler } from "../metadata/index.ts";
import type { Notice } from "../notice.ts";

/** What taking something out of a repository needs. */
export interface DeletionContext {
  readonly tree: Tree;
  readonly metadata: Metadata;
  readonly reconciler: Reconciler;
  readonly onNotice: (notice: Notice) => void;
  /** What is remembered of a repository is not used any more: at once, before anybody is answered. */
  readonly forget: (repository: string) => void;
}

/**
 * Takes a manifest out of its repository: the link, the metadata, what is remembered. The only place where that is done. The caller has
 * asked the guard, holds the digest exclusively, and has seen to the tags.
 * @param options.forGood takes its type and the link's folder as well, which otherwise stay until garbage collection finds them old:
 * whoever wants it back needs the type, and distribution leaves the folder
 */
export const unlinkManifest = (
  context: DeletionContext,
  repository: string,
  digest: Digest,
  { forGood = false }: { readonly forGood?: boolean } = {},
): Promise<void> => {
  const { tree, metadata } = context;
  const inTree = async (): Promise<void> => {
    // What was signed has been here: that is known by its folder.
    await tree.unlinkRevision(repository, digest, {
      folder: forGood && !hasTagsNamedAfter(context, repository, digest),
    });
    await tree.notes.dropUntagged(repository, digest);
    if (forGood) await tree.notes.dropPushedType(repository, digest);
  };
  return change(context, repository, inTree, () => metadata.removeManifest(repository, digest));
};

/** Whether a repository has signatures or a list of referrers of a manifest under a tag that is named after it. */
export const hasTagsNamedAfter = (
  { metadata }: Pick<DeletionContext, "metadata">,
  repository: string,
  digest: Digest,
): boolean => {
  const name = digest.replace(":", "-");
  const [next] = metadata.tags(repository, { after: name, limit: 1 });
  return metadata.tag(repository, name) !== undefined || next?.name.startsWith(`${name}.`) === true;
};

/**
 * Takes a tag away, and notes what it stood for. The caller has asked the guard and is the only one at this tag.
 * @param digest what it stands for, where its link can be read
 */
export const unlinkTag = (
  context: DeletionContext,
  repository: string,
  tag: string,
  digest: Digest | undefined,
): Promise<void> => {
  const { tree, metadata } = context;
  const inTree = async (): Promise<void> => {
    if (digest !== undefined) await noteDeletedTag(context, repository, tag, digest);
    // When it left what it stood for before is known by its history alone, which goes with it: they count from now on.
    for await (const before of tree.tagHistory(repository, tag))
      if ((await tree.revision(repository, before)) !== undefined)
        await tree.renewRevision(repository, before).catch(() => {});
    await tree.removeTag(repository, tag);
  };
  return change(context, repository, inTree, () => metadata.removeTag(repository, tag));
};

/** A full disk keeps nobody from making room: what the tag stood for is told then by the notice, and by the audit log. */
const noteDeletedTag = async (
  { tree, onNotice }: DeletionContext,
  repository: string,
  tag: string,
  digest: Digest,
): Promise<void> => {
  try {
    await tree.notes.noteDeletedTag(repository, tag, digest);
  } catch (error) {
    if (!isDrayError(error, "DISK") || !full.has(errnoOf(error.cause) ?? "")) throw error;
    const message = `the tag ${tag} is deleted, and the disk is too full to note what it stood for: it can be put back by its digest alone`;
    onNotice({ level: "warn", message, repository, digest });
  }
};

/** What the system says of a disk that has no room. */
const full: ReadonlySet<string> = new Set(["ENOSPC", "EDQUOT"]);

/** Takes a blob out of a repository; its data stays in the pool. The caller has asked the guard and holds the digest exclusively. */
export const unlinkLayer = ({ tree, forget }: DeletionContext, repository: string, digest: Digest): Promise<void> =>
  tree.unlinkLayer(repository, digest).finally(() => forget(repository));

/** The tree, then the metadata, then memory; memory also where only half of it was done. */
const change = async (
  { reconciler, forget }: DeletionContext,
  repository: string,
  inTree: () => Promise<void>,
  inMetadata: () => void,
): Promise<void> => {
  try {
    await reconciler.repositories.write(repository, inTree, inMetadata);
  } finally {
    forget(repository);
  }
};
