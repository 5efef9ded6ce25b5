import type { Digest } from "dray/oci";
import type { Tree } from "../distribution-tree/index.ts";
import type { Notice } from "../options.ts";
import { merged } from "./merged.ts";
import { revisionNames, tagNames } from "./names.ts";
import { readManifest } from "./read-manifest.ts";
import { Slices } from "./slices.ts";
import { isFresh, sameStamp } from "./stamps.ts";
import type { Index } from "./types.ts";

export interface ScanOptions {
  readonly tree: Tree;
  readonly index: Index;
  readonly now: () => number;
  readonly onNotice: (notice: Notice) => void;
  /** Runs work while no write of this process changes the repository. */
  readonly alone: <T>(work: () => Promise<T>) => Promise<T>;
  /** Throws where the scan is not wanted any more. */
  readonly check: () => void;
  /** Something in the index changed. */
  readonly onChange: () => void;
}

/** Names that are looked at together. Writes to the repository wait for so many at most. */
const batch = 64;
/** Names in a page of the index. */
const page = 256;

/** A change of the index, to be made when a whole batch was looked at. */
type Change = (index: Index) => void;

/**
 * Makes the index say of one repository what its tree says. Every name that either of them has is looked up in the tree, while no
 * write of ours is under way, and the index is made to agree: a name that comes or goes meanwhile is one that a write of ours told
 * the index itself, or one that changes the stamps of the directories.
 */
export const scan = async (repository: string, options: ScanOptions): Promise<void> => {
  const { tree, index } = options;
  const slices = new Slices();
  const tags = await tagNames(tree, repository, slices);
  const tagsIn = (after: string): string[] => index.tags(repository, { after, limit: page }).map(({ name }) => name);
  await inBatches(options, slices, merged(tags, tagsIn, page), (name) => changeOfTag(repository, name, options));
  const digests = await revisionNames(tree, repository, slices);
  const digestsIn = (after: string): string[] => index.digests(repository, { after, limit: page });
  await inBatches(options, slices, merged(digests, digestsIn, page), (digest) =>
    changeOfManifest(repository, digest as Digest, options),
  );
};

const inBatches = async (
  { index, alone, check, onChange }: ScanOptions,
  slices: Slices,
  names: Iterable<string>,
  changeOf: (name: string) => Promise<Change | undefined>,
): Promise<void> => {
  const work = async (some: readonly string[]): Promise<void> => {
    check();
    await alone(async () => {
      const changes: Change[] = [];
      await eachOf(some, async (name) => {
        await slices.rest();
        const change = await changeOf(name);
        if (change !== undefined) changes.push(change);
      });
      check();
      if (changes.length === 0) return;
      index.together(() => {
        for (const change of changes) change(index);
      });
      onChange();
    });
    await slices.rest();
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

/** A few at a time: requests share the threads that do this. */
const eachOf = async (names: readonly string[], work: (name: string) => Promise<void>): Promise<void> => {
  const left = names.values();
  const worker = async (): Promise<void> => {
    for (const name of left) await work(name);
  };
  const ends = await Promise.allSettled(Array.from({ length: 6 }, worker));
  for (const end of ends) if (end.status === "rejected") throw end.reason;
};

const changeOfTag = async (
  repository: string,
  name: string,
  { tree, index, now }: ScanOptions,
): Promise<Change | undefined> => {
  const known = index.tag(repository, name);
  if (known?.stamp !== undefined && sameStamp(known.stamp, await tree.tagStamp(repository, name))) return undefined;
  const at = now();
  const link = await tree.tag(repository, name);
  if (link === undefined) return known && ((to) => to.removeTag(repository, name));
  const { digest, stamp } = link;
  // One that may change again within the same tick is read again the next time.
  const kept = isFresh(stamp, at) ? {} : { stamp };
  return (to) => to.putTag(repository, { name, digest, at: stamp.mtime, ...kept });
};

const changeOfManifest = async (
  repository: string,
  digest: Digest,
  { tree, index, onNotice }: ScanOptions,
): Promise<Change | undefined> => {
  const known = index.manifest(repository, digest);
  const gone = known && ((to: Index) => to.removeManifest(repository, digest));
  if (known?.readable === true) return (await tree.revision(repository, digest)) === undefined ? gone : undefined;
  // What was damaged is known to be, and may be whole again.
  const manifest = await readManifest(tree, repository, digest, known === undefined ? onNotice : () => {});
  if (manifest === undefined) return gone;
  if (known !== undefined && !manifest.readable) return undefined;
  return (to) => to.putManifest(repository, manifest);
};
