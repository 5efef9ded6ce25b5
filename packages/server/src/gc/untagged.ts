import type { Yielding } from "dray/internal/async";
import { type Digest, isTag } from "dray/oci";
import { unlinkManifest } from "../deletion/index.ts";
import { type ManifestRecord, type Metadata, pages } from "../metadata/index.ts";
import { inBatches } from "./batches.ts";
import { manifestsOf } from "./reachability.ts";
import type { Roots } from "./roots.ts";
import { ago, duration, notReconciled, passing, promised, type Run, writtenAgo } from "./run.ts";
import { stronglyConnectedComponents } from "./strongly-connected-components.ts";
import { leftByTags, mayHaveLost } from "./tag-history.ts";

/**
 * Lets manifests of a repository go that no tag leads to: neither directly, nor as a child, nor as a referrer, however far. What
 * holds something goes before it, so whatever stays keeps what it holds, and a run that is cut off leaves nothing broken.
 */
export const collectUntagged = async (run: Run, repository: string, roots: Roots): Promise<void> => {
  const dying = await withoutTag(run, repository, roots);
  if (dying.size === 0) return;
  await run.tree.refuseGone();
  const left = await leftByTags(run, repository, dying);
  const holders = await holdersOf(dying, run.yielding);
  const gone = new Set<Digest>();
  const held = (digest: Digest): Digest[] => holders.down.get(digest) ?? [];
  let together: Digest[][] = [];
  const decideTogether = async (): Promise<void> => {
    await inBatches(together, run.yielding, async (members) => {
      const group = new Set(members);
      const above = members.flatMap((digest) => holders.up.get(digest) ?? []);
      const staying = above.find((up) => !group.has(up) && !gone.has(up));
      const take = (): Promise<boolean> => takeGroup(run, { repository, group, staying, left });
      await passing(run, async () => {
        if (run.dryRun ? await take() : await run.locks.hold({ exclusive: group }, take))
          for (const digest of group) gone.add(digest);
      });
    });
    together = [];
  };
  const waiting = new Set<Digest>();
  for (const members of await stronglyConnectedComponents(new Set(dying.keys()), held, run.yielding)) {
    // Whatever holds it is decided about first.
    if (members.some((digest) => holders.up.get(digest)?.some((up) => waiting.has(up)))) {
      await decideTogether();
      waiting.clear();
    }
    together.push(members);
    for (const digest of members) waiting.add(digest);
  }
  await decideTogether();
  if (run.dryRun) await run.reachability.exclude(repository, gone);
};

interface Group {
  readonly repository: string;
  readonly group: ReadonlySet<Digest>;
  /** What holds them and stays. */
  readonly staying: Digest | undefined;
  /** When each lost its last tag. */
  readonly left: ReadonlyMap<Digest, number>;
}

/** Decides about manifests that hold each other, together. Tells whether they go. */
const takeGroup = async (run: Run, { repository, group, staying, left }: Group): Promise<boolean> => {
  const { metadata, reconciler, leases, decide } = run;
  const age = Math.max(run.untagged ?? 0, run.grace);
  let newest = 0;
  let doubt = 0;
  for (const digest of group) {
    const written = await lastWritten(run, repository, digest);
    newest = Math.max(newest, written);
    // Also where a history knows when one tag left: another may have gone with its history.
    doubt = Math.max(doubt, await mayHaveLost(run, repository, digest, written, age));
  }
  await reconciler.reconcile(repository);
  // From here on nothing is waited for, so all that is asked belongs to one moment.
  for (const digest of group) {
    const manifest = metadata.manifest(repository, digest);
    // Deleted, or tagged, by somebody else meanwhile.
    if (manifest === undefined || metadata.tagsOf(repository, digest).length > 0) return false;
    newest = Math.max(newest, manifest.pushedAt);
  }
  const untaggedAt = [...group].reduce((last, digest) => Math.max(last, left.get(digest) ?? 0), 0);
  const since = Math.max(newest, untaggedAt, doubt);
  const when =
    since === newest
      ? writtenAgo(run, newest)
      : `its last tag ${since === untaggedAt ? "left" : "may have left"} it ${ago(run, since)}`;
  const holder = staying ?? (run.dryRun ? undefined : newHolder(metadata, repository, group));
  const why =
    holder !== undefined
      ? `a child or referrer of ${holder}, which stays`
      : [...group].some((digest) => leases.holds(digest, repository))
        ? promised
        : run.now() - since <= age
          ? `no tag, but ${when}; untagged ones stay for ${duration(age)}`
          : // The metadata missed a write, or was begun anew: what it said above means nothing.
            reconciler.repositories.isReconciled(repository)
            ? undefined
            : notReconciled;
  for (const digest of group) {
    const reason = why ?? `no tag, ${when}`;
    if (why === undefined && !run.dryRun) await unlinkManifest(run, repository, digest, { forGood: true });
    decide({ kind: "manifest", repository, digest, action: why === undefined ? "remove" : "keep", reason });
  }
  return why === undefined;
};

/** When a manifest's link or content was last written; one that is not there was never. */
const lastWritten = async ({ tree }: Run, repository: string, digest: Digest): Promise<number> => {
  const link = await tree.revision(repository, digest);
  return Math.max(link?.mtime ?? 0, (await tree.blobFacts(digest))?.mtime ?? 0);
};

/** Something outside the group that holds one of it now. What held it when the run looked is gone already, or this is not asked. */
const newHolder = (metadata: Metadata, repository: string, group: ReadonlySet<Digest>): Digest | undefined => {
  for (const digest of group) {
    const subject = metadata.manifest(repository, digest)?.subject;
    if (subject !== undefined && !group.has(subject) && metadata.manifest(repository, subject)) return subject;
  }
  for (const digest of group) {
    // They may hold each other: of more than they are one is another.
    const parent = metadata.parents(repository, digest, group.size).find((holder) => !group.has(holder));
    if (parent !== undefined) return parent;
  }
  return undefined;
};

type Dying = ReadonlyMap<Digest, Pick<ManifestRecord, "references" | "subject">>;

/** Manifests that no tag leads to, nor anything else that is a root. */
const withoutTag = async (run: Run, repository: string, roots: Roots): Promise<Dying> => {
  const { tree, metadata, yielding } = run;
  const live = new Set<Digest>();
  for (const tags of pages(500, (page) => metadata.tags(repository, page))) {
    for (const { digest } of tags) await spread(run, repository, digest, live);
    await yielding.turn();
  }
  const dying = new Map<Digest, Pick<ManifestRecord, "references" | "subject">>();
  for await (const manifest of manifestsOf(metadata, repository, yielding)) {
    if (live.has(manifest.digest)) continue;
    // Only what may be a manifest is of interest here.
    const references: Digest[] = [];
    for (const child of manifest.references) {
      if (metadata.manifest(repository, child) !== undefined) references.push(child);
      await yielding.turn();
    }
    dying.set(manifest.digest, { references, ...(manifest.subject && { subject: manifest.subject }) });
  }
  for (const digest of dying.keys()) if (roots.kept.has(digest)) await spread(run, repository, digest, live);
  if (dying.size === 0) return dying;
  // To lose a tagged manifest is the worst that could happen: so the links themselves are asked before anything goes.
  for (const name of await tree.tagFolders(repository)) {
    if (!isTag(name)) continue;
    const link = await tree.tag(repository, name);
    if (link !== undefined && dying.has(link.digest)) await spread(run, repository, link.digest, live);
    await yielding.turn();
  }
  for (const digest of live) dying.delete(digest);
  return dying;
};

/** Adds a manifest and whatever it holds, each once: graphs made to be walked for ever end here. */
const spread = async (
  { metadata, yielding }: Run,
  repository: string,
  root: Digest,
  live: Set<Digest>,
): Promise<void> => {
  const waiting = [root];
  for (let digest = waiting.pop(); digest !== undefined; digest = waiting.pop()) {
    await yielding.turn();
    const manifest = live.has(digest) ? undefined : metadata.manifest(repository, digest);
    if (manifest === undefined) continue;
    live.add(digest);
    for (const child of manifest.references) waiting.push(child);
    for (const referrers of pages(500, (page) => metadata.referrerDigests(repository, digest, page)))
      for (const referrer of referrers) waiting.push(referrer);
  }
};

/** Who holds whom among them: an index its children, a subject its referrers. */
const holdersOf = async (
  dying: Dying,
  yielding: Yielding,
): Promise<{ up: Map<Digest, Digest[]>; down: Map<Digest, Digest[]> }> => {
  const up = new Map<Digest, Digest[]>();
  const down = new Map<Digest, Digest[]>();
  const hold = (holder: Digest, held: Digest): void => {
    if (!dying.has(holder) || !dying.has(held)) return;
    put(up, held, holder);
    put(down, holder, held);
  };
  for (const [digest, { references, subject }] of dying) {
    for (const child of references) hold(digest, child);
    if (subject !== undefined) hold(subject, digest);
    await yielding.turn();
  }
  return { up, down };
};

const put = (lists: Map<Digest, Digest[]>, key: Digest, value: Digest): void => {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [value]);
  else list.push(value);
};
