import type { RepositoryFolder } from "../distribution-tree/index.ts";
import { collectLayers, layersState } from "./layers.ts";
import { keepAliases, unreadableOf } from "./revisions.ts";
import type { Run } from "./run.ts";
import { collectUntagged } from "./untagged.ts";

/** Takes out of a repository what it needs no more: manifests without a tag where that is wanted, then blobs that no manifest needs. */
export const collectRepository = async (
  run: Run,
  { repository, manifests, layers, valid }: RepositoryFolder,
): Promise<void> => {
  if (!valid) {
    await keepAll(run, repository);
    return;
  }
  let held: string | undefined;
  // What comes from now on is noticed by a change of this.
  run.seen.set(repository, await layersState(run, repository));
  if (manifests) {
    await run.reconciler.reconcile(repository);
    const unreadable = await unreadableOf(run, repository);
    const [first] = unreadable;
    if (first !== undefined) {
      held = `unreadable manifest ${first}`;
      run.unreadable.push(...unreadable.map((digest) => ({ repository, digest })));
      run.decide({ kind: "repository", repository, action: "keep", reason: `${held}: nobody knows what it needs` });
      const message = `gc keeps everything in ${repository}: ${unreadable.length} manifests cannot be read whole, the first is ${first}`;
      run.onNotice({ level: "warn", message, repository, digest: first });
    } else if (run.untagged !== undefined) await collectUntagged(run, repository);
    await keepAliases(run, repository);
  }
  if (layers) await collectLayers(run, repository, held);
};

/** Nobody can be served from there, and yet its bytes are somebody's. */
const keepAll = async (run: Run, repository: string): Promise<void> => {
  const { tree, linked, yielding } = run;
  for (const digests of [tree.layers(repository), tree.revisions(repository)])
    for await (const digest of digests) {
      linked.add(digest);
      await yielding.turn();
    }
  run.decide({
    kind: "repository",
    repository,
    action: "keep",
    reason: "its name is not one that a repository can have",
  });
};
