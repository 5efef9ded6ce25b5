import { algorithmOf, type Digest } from "dray/oci";
import { revisionFolder, type Tree } from "../tree/index.ts";
import { tidyFolder } from "./layers.ts";
import type { Run } from "./run.ts";

/**
 * Compares the manifests of a repository in the tree with those in the index, by name. What the tree has and the index does not know
 * holds everything: nobody knows what it needs. Folders of deleted manifests are taken away.
 * @returns manifests that nobody could read whole
 */
export const lookThroughRevisions = async (run: Run, repository: string): Promise<Digest[]> => {
  const { tree, index, linked, pace } = run;
  const unknown = new Set<Digest>(index.unreadable(repository));
  for await (const digest of tree.revisions(repository)) {
    if (index.manifest(repository, digest) === undefined && (await lookAt(run, repository, digest)) === "unknown")
      unknown.add(digest);
    // A manifest may lie under another digest, too.
    if (unknown.has(digest) || algorithmOf(digest) !== "sha256") {
      linked.add(digest);
      const target = await tree.revisionTarget(repository, digest);
      if (target !== undefined) linked.add(target);
    }
    await pace.turn();
  }
  return [...unknown];
};

/** Looks once more when nobody is just pushing or deleting it. */
const lookAt = (run: Run, repository: string, digest: Digest): Promise<"unknown" | undefined> =>
  run.locks.hold({ exclusive: [digest] }, async () => {
    const { tree, index, reconciler } = run;
    if (index.manifest(repository, digest) !== undefined) return undefined;
    if ((await tree.revision(repository, digest)) !== undefined) return "unknown";
    if (!run.dryRun)
      await reconciler.write(
        repository,
        () => tidy(run, tree, repository, digest),
        () => {},
      );
    return undefined;
  });

/** The type first: it would be found no more without the folder. */
const tidy = async (run: Run, tree: Tree, repository: string, digest: Digest): Promise<void> => {
  await tree.dropPushedType(repository, digest);
  await tidyFolder(run, revisionFolder(repository, digest));
};
