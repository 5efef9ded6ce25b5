import type { Digest } from "dray/oci";
import { hasTagsNamedAfter } from "../deletion/index.ts";
import { revisionFolder, type Tree } from "../distribution-tree/index.ts";
import { inBatches } from "./batches.ts";
import { manifestsOf } from "./reachability.ts";
import { isOld, passing, type Run } from "./run.ts";

/** Manifests of a repository that nobody could read whole. */
export const unreadableOf = async (run: Run, repository: string): Promise<Digest[]> => {
  const { metadata, reconciler } = run;
  // What failed once may be whole again.
  if (metadata.unreadable(repository).length > 0) await reconciler.rescan(repository);
  let unknown = await lookThrough(run, repository);
  // Put back by another program into a folder that was there: that changes no time that the reconciler looks at.
  if (unknown.length > 0) {
    await reconciler.refresh();
    unknown = await lookThrough(run, repository);
  }
  return [...new Set([...metadata.unreadable(repository), ...unknown])];
};

/**
 * Compares the manifests of a repository in the tree with those in the metadata, by name. What the tree has and the metadata does not know
 * holds everything: nobody knows what it needs. Folders of deleted manifests are taken away.
 * @returns those that the metadata does not know
 */
const lookThrough = async (run: Run, repository: string): Promise<Digest[]> => {
  const { tree, metadata, yielding } = run;
  const strangers: Digest[] = [];
  for await (const digest of tree.revisions(repository)) {
    if (metadata.manifest(repository, digest) === undefined) strangers.push(digest);
    await yielding.turn();
  }
  const unknown: Digest[] = [];
  await inBatches(strangers, yielding, async (digest) => {
    let found: "unknown" | undefined = "unknown";
    await passing(run, async () => {
      found = await lookAt(run, repository, digest);
    });
    if (found !== "unknown") return;
    unknown.push(digest);
    await keepContent(run, repository, digest);
  });
  return unknown;
};

/**
 * Remembers the content of manifests that lies under another digest, as distribution has it for what was pushed by its sha512. Call it
 * when it is known which manifests stay.
 */
export const keepAliases = async (run: Run, repository: string): Promise<void> => {
  for await (const { digest } of manifestsOf(run.metadata, repository, run.yielding, lastOfSha256))
    if (!run.reachability.isExcluded(repository, digest)) await keepContent(run, repository, digest);
};

const lastOfSha256 = `sha256:${"f".repeat(64)}`;

const keepContent = async ({ tree, linked }: Run, repository: string, digest: Digest): Promise<void> => {
  linked.add(digest);
  const target = await tree.revisionTarget(repository, digest);
  if (target !== undefined) linked.add(target);
};

/** Looks once more when nobody is just pushing or deleting it. */
const lookAt = (run: Run, repository: string, digest: Digest): Promise<"unknown" | undefined> =>
  run.locks.hold({ exclusive: [digest] }, async () => {
    const { tree, metadata, reconciler } = run;
    if (metadata.manifest(repository, digest) !== undefined) return undefined;
    if ((await tree.revision(repository, digest)) !== undefined) return "unknown";
    await tree.refuseBrokenLink(`${revisionFolder(repository, digest)}/link`);
    if (!run.dryRun)
      await reconciler.repositories.write(
        repository,
        () => tidy(run, tree, repository, digest),
        () => {},
      );
    return undefined;
  });

/** As long as the folder is young the manifest can be restored, with its type. The type goes first: it would be found no more without the folder. */
const tidy = async (run: Run, tree: Tree, repository: string, digest: Digest): Promise<void> => {
  const folder = revisionFolder(repository, digest);
  // What was signed has been here: that is known by its folder.
  if (hasTagsNamedAfter(run, repository, digest)) return;
  if (!(await tree.isOldFolder(folder, (time) => isOld(run, time)))) return;
  await tree.notes.dropPushedType(repository, digest);
  await tree.notes.dropUntagged(repository, digest);
  await tree.removeFolder(folder);
};
