import { defined } from "dray/internal/defined";
import { isTag } from "dray/oci";
import { layersPath, type RepositoryFolder, revisionsPath, tagsPath } from "../distribution-tree/index.ts";
import type { Notice } from "../notice.ts";
import { collectLayers, layersState } from "./layers.ts";
import { keepAliases, unreadableOf } from "./revisions.ts";
import { rootsOf } from "./roots.ts";
import { type Held, isOld, passing, type Run } from "./run.ts";
import { collectUntagged } from "./untagged.ts";

/** Takes out of a repository what it needs no more: manifests without a tag where that is wanted, then blobs that no manifest needs. */
export const collectRepository = async (run: Run, folder: RepositoryFolder): Promise<void> => {
  const { repository, manifests, layers, valid } = folder;
  const { tree } = run;
  if (!valid) {
    await keepAll(run, repository);
    return;
  }
  await refuseBrokenLinks(run, repository);
  // What comes from now on is noticed by a change of this.
  run.seen.set(repository, await layersState(run, repository));
  if (manifests) await run.reconciler.reconcile(repository);
  const unreadable = manifests ? await unreadableOf(run, repository) : [];
  const roots = await rootsOf(run, folder);
  const [first] = unreadable;
  if (first !== undefined) {
    for (const digest of unreadable) run.unreadable.push({ repository, digest });
    roots.held = { reason: `unreadable manifest ${first}`, digest: first, remedy: `push ${first} again, or delete it` };
  }
  if (manifests) {
    if (roots.held === undefined && run.untagged !== undefined) await collectUntagged(run, repository, roots);
    await keepAliases(run, repository);
  }
  if (layers) await collectLayers(run, repository, roots);
  // Of earlier versions: distribution has to know it as a repository.
  else if (!run.dryRun && run.metadata.digests(repository, { limit: 1 }).length > 0)
    await passing(run, () => tree.makeLayersFolder(repository));
  if (manifests) await dropNotes(run, repository);
  if (roots.held !== undefined) hold(run, repository, roots.held);
};

/** @throws DrayError where a part of the repository lies behind a link that leads nowhere */
const refuseBrokenLinks = async ({ tree }: Run, repository: string): Promise<void> => {
  await tree.refuseBrokenLink(tagsPath(repository));
  for (const folder of [revisionsPath(repository), layersPath(repository)])
    for (const algorithm of ["sha256", "sha512"]) await tree.refuseBrokenLink(`${folder}/${algorithm}`);
};

/** Of deleted tags: they are of use as long as what the tag stood for is there, and for the grace in any case. */
const dropNotes = async (run: Run, repository: string): Promise<void> => {
  const { tree, yielding } = run;
  for (const tag of await tree.notes.deletedTags(repository)) {
    await yielding.turn();
    const noted = isTag(tag) ? await tree.notes.deletedTag(repository, tag) : undefined;
    if (run.dryRun || noted === undefined || !isOld(run, noted.version.mtime)) continue;
    if ((await tree.revision(repository, noted.digest)) === undefined) await tree.notes.dropDeletedTag(repository, tag);
  }
};

const hold = (run: Run, repository: string, { reason, digest, remedy }: Held): void => {
  run.held.push({ repository, reason, remedy });
  run.decide({ kind: "repository", repository, action: "keep", reason: `${reason}: nobody knows what it needs` });
  if (!run.tellsHeld) return;
  const message = `gc keeps everything in ${repository}: ${reason}; ${remedy}`;
  run.onNotice(defined<Notice>({ level: "warn", message, repository, digest }));
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
