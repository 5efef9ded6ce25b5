import { forEachConcurrent, Yielding } from "dray/internal/async";
import type { Digest } from "dray/oci";
import { type Tree } from "../distribution-tree/index.ts";
import type { Notice } from "../notice.ts";
import { isRacy, sameVersion } from "../storage/index.ts";
import type { Metadata } from "./metadata.ts";
import { revisionNames, tagNames } from "./names.ts";
import { readRecord } from "./read-record.ts";

export interface ScanOptions {
  readonly tree: Tree;
  readonly metadata: Metadata;
  readonly now: () => number;
  readonly onNotice: (notice: Notice) => void;
  /** Runs work while no write of this process changes the repository. */
  readonly alone: <T>(work: () => Promise<T>) => Promise<T>;
  /** Throws where the scan is not wanted any more. */
  readonly check: () => void;
  /** Something in the metadata changed. */
  readonly onChange: () => void;
}

/** Names that are looked at together. Writes to the repository wait for so many at most. */
const batch = 64;
/** Of these, looked at side by side: requests share the threads that do this. */
const atOnce = 6;

/** A change of the metadata, to be made when a whole batch was looked at. */
type Change = (metadata: Metadata) => void;

/**
 * Makes the metadata say of one repository what its tree says. Every name that either of them has is looked up in the tree, while no
 * write of ours is under way, and the metadata is made to agree: a name that comes or goes meanwhile is one that a write of ours told
 * the metadata itself, or one that changes the versions of the directories.
 */
export const scan = async (repository: string, options: ScanOptions): Promise<void> => {
  const yielding = new Yielding();
  const tags = await tagNames(options, repository, yielding);
  await inBatches(options, yielding, tags, (name) => changeOfTag(repository, name, options));
  const digests = await revisionNames(options, repository, yielding);
  await inBatches(options, yielding, digests, (digest) => changeOfManifest(repository, digest as Digest, options));
};

const inBatches = async (
  { metadata, alone, check, onChange }: ScanOptions,
  yielding: Yielding,
  names: Iterable<string>,
  changeOf: (name: string) => Promise<Change | undefined>,
): Promise<void> => {
  const work = async (some: readonly string[]): Promise<void> => {
    check();
    await alone(async () => {
      const changes: Change[] = [];
      await forEachConcurrent(some, atOnce, async (name) => {
        await yielding.turn();
        const change = await changeOf(name);
        if (change !== undefined) changes.push(change);
      });
      check();
      if (changes.length === 0) return;
      metadata.transaction(() => {
        for (const change of changes) change(metadata);
      });
      onChange();
    });
    await yielding.turn();
  };
  let some: string[] = [];
  for (const name of names) {
    some.push(name);
    if (some.length < batch) continue;
    await work(some);
    some = [];
  }
  if (some.length > 0) await work(some);
};

const changeOfTag = async (
  repository: string,
  name: string,
  { tree, metadata, now }: ScanOptions,
): Promise<Change | undefined> => {
  const known = metadata.tag(repository, name);
  if (known?.version !== undefined && sameVersion(known.version, await tree.tagVersion(repository, name)))
    return undefined;
  const at = now();
  const link = await tree.tag(repository, name);
  if (link === undefined) {
    if (known === undefined) return undefined;
    await tree.refuseGone();
    // Somebody else took it, and its history with it: from now on its manifest may have no tag, for which retention counts.
    await tree.renewRevision(repository, known.digest).catch(() => {});
    return (to) => to.removeTag(repository, name);
  }
  const { digest, version } = link;
  // One that may change again within the same tick is read again the next time.
  const kept = isRacy(version, at) ? {} : { version };
  return (to) => to.putTag(repository, { name, digest, at: version.mtime, ...kept });
};

const changeOfManifest = async (
  repository: string,
  digest: Digest,
  { tree, metadata, onNotice }: ScanOptions,
): Promise<Change | undefined> => {
  const known = metadata.manifest(repository, digest);
  const gone = async (): Promise<Change | undefined> => {
    if (known === undefined) return undefined;
    await tree.refuseGone();
    return (to) => to.removeManifest(repository, digest);
  };
  if (known?.readable === true) return (await tree.revision(repository, digest)) === undefined ? gone() : undefined;
  // What was damaged is known to be, and may be whole again.
  const manifest = await readRecord(tree, repository, digest, known === undefined ? onNotice : () => {});
  if (manifest === undefined) return gone();
  if (known !== undefined && !manifest.readable) return undefined;
  await metadata.prepareManifest(repository, manifest);
  return (to) => to.putManifest(repository, manifest);
};
