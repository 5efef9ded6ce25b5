import { type Digest, isDigest } from "dray/oci";
import { renewAll, unlinkManifest, unlinkTag } from "../deletion/index.ts";
import { revisionFolder } from "../distribution-tree/index.ts";
import { pages, type TagRecord } from "../metadata/index.ts";
import { repositoriesOf } from "./reachability.ts";
import { ago, isOld, passing, promised, type Run } from "./run.ts";

/**
 * Tells of tags that are named after an image which is in no repository any more: cosign's signatures, attestations and SBOMs, and the
 * fallback of the referrers API. A signature may come before its image, so only those of images that were here, in the same
 * repository, are removed.
 */
export const collectOrphans = async (run: Run): Promise<void> => {
  const { metadata, yielding } = run;
  // The last word on what is nowhere has who knows everything.
  if (run.troubles.unswept !== undefined || !run.reconciler.isComplete) return;
  for await (const repository of repositoriesOf(metadata, yielding)) {
    const tags: TagRecord[] = [];
    for (const page of pages(500, (some) => metadata.tags(repository, some), "sha")) {
      for (const tag of page) if (subjectIn(tag.name) !== undefined) tags.push(tag);
      await yielding.turn();
      if ((page.at(-1)?.name ?? "") > "shb") break;
    }
    for (const { name, digest } of tags) await passing(run, () => takeTag(run, repository, name, digest));
  }
};

/** `sha256-…` is a list of referrers, `sha256-….sig` a signature, and so on. */
export const subjectIn = (tag: string): Digest | undefined => {
  const [, algorithm, hex] = /^(sha256|sha512)-([0-9a-f]+)(?:\.[a-z0-9-]+)?$/.exec(tag) ?? [];
  const digest = `${algorithm}:${hex}`;
  return isDigest(digest) ? digest : undefined;
};

const takeTag = async (run: Run, repository: string, tag: string, digest: Digest): Promise<void> => {
  const { tree, metadata, locks, tagLocks } = run;
  const subject = subjectIn(tag);
  // A link that no manifest of the index leads to counts as well.
  if (subject === undefined || metadata.isUsed(subject) || run.linked.has(subject)) return;
  const said = { kind: "tag", repository, id: tag, digest } as const;
  const kept = await whyKept(run, { repository, tag, digest, subject });
  if (kept !== undefined) {
    run.decide({ ...said, action: "keep", reason: kept });
    return;
  }
  const remove = (): Promise<boolean> =>
    tagLocks.hold({ exclusive: [`${repository}\0${tag}`] }, async () => {
      if ((await tree.tag(repository, tag))?.digest !== digest || metadata.isUsed(subject)) return false;
      await renewAll(run, repository, digest);
      await unlinkTag(run, repository, tag, digest);
      const isHeld =
        metadata.tagsOf(repository, digest).length > 0 ||
        metadata.refersTo(repository, digest) ||
        metadata.referrerDigests(repository, digest, { limit: 1 }).length > 0;
      if (!isHeld) await unlinkManifest(run, repository, digest);
      return true;
    });
  // Whoever pushes the image again waits, and finds it gone.
  if (run.dryRun || (await locks.hold({ exclusive: [digest, subject] }, remove)))
    run.decide({
      ...said,
      action: "remove",
      reason: `${subject}, which it belongs to, was here and is nowhere any more`,
    });
};

interface Orphan {
  readonly repository: string;
  readonly tag: string;
  readonly digest: Digest;
  readonly subject: Digest;
}

const whyKept = async (run: Run, { repository, tag, digest, subject }: Orphan): Promise<string | undefined> => {
  const { tree, leases, held } = run;
  if (held.some((each) => each.repository === repository)) return "its repository is held";
  if (leases.holds(digest, repository)) return promised;
  const set = await tree.tagVersion(repository, tag);
  if (set === undefined) return "it is just being deleted";
  if (!isOld(run, set.mtime)) return `set ${ago(run, set.mtime)}, which is within the grace`;
  const folder = revisionFolder(repository, subject);
  if (await tree.isOldFolder(folder, () => true))
    return (await tree.isOldFolder(folder, (time) => isOld(run, time)))
      ? undefined
      : `${subject}, which it belongs to, was deleted within the grace and may be restored`;
  for (const name of await tree.tagFolders(repository))
    if ((await tree.tagSetAt(repository, name, subject)) !== undefined) return undefined;
  return `orphaned, but ${subject}, which it belongs to, was never seen in ${repository}: it may still come`;
};
