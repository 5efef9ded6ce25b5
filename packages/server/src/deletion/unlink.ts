import type { Digest } from "dray/oci";
import type { Tree } from "../distribution-tree/index.ts";
import type { Metadata, Reconciler } from "../metadata/index.ts";

/** What taking something out of a repository needs. */
export interface DeletionContext {
  readonly tree: Tree;
  readonly metadata: Metadata;
  readonly reconciler: Reconciler;
  /** Drops what is remembered of a tag or digest of a repository; at once, before anybody is answered. */
  readonly forget: (repository: string, name: string) => void;
}

/**
 * Takes a manifest out of its repository: the link, the metadata, what is remembered. The only place where that is done. The caller has
 * asked the guard, holds the digest exclusively, and has seen to the tags.
 * @param options.folder takes the link's folder as well, which distribution leaves behind: many deletions then share a wait for the disk
 */
export const unlinkManifest = (
  context: DeletionContext,
  repository: string,
  digest: Digest,
  { folder = false }: { readonly folder?: boolean } = {},
): Promise<void> => {
  const { tree, metadata } = context;
  const inTree = async (): Promise<void> => {
    await tree.unlinkRevision(repository, digest, { folder });
    await tree.dropPushedType(repository, digest);
  };
  return change(context, repository, digest, inTree, () => metadata.removeManifest(repository, digest));
};

/** Takes a tag away. The caller has asked the guard and is the only one at this tag. */
export const unlinkTag = (context: DeletionContext, repository: string, tag: string): Promise<void> => {
  const { tree, metadata } = context;
  return change(
    context,
    repository,
    tag,
    () => tree.removeTag(repository, tag),
    () => metadata.removeTag(repository, tag),
  );
};

/** Takes a blob out of a repository; its data stays in the pool. The caller has asked the guard and holds the digest exclusively. */
export const unlinkLayer = ({ tree, forget }: DeletionContext, repository: string, digest: Digest): Promise<void> =>
  tree.unlinkLayer(repository, digest).finally(() => forget(repository, digest));

/** The tree, then the metadata, then memory; memory also where only half of it was done. */
const change = async (
  { reconciler, forget }: DeletionContext,
  repository: string,
  name: string,
  inTree: () => Promise<void>,
  inMetadata: () => void,
): Promise<void> => {
  try {
    await reconciler.write(repository, inTree, inMetadata);
  } finally {
    forget(repository, name);
  }
};
