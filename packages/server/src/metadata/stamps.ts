import type { FileVersion, Tree } from "../distribution-tree/index.ts";

/** The states of the directories that change when a tag or a manifest comes or goes. */
export interface Stamps {
  readonly tags: FileVersion | undefined;
  readonly sha256: FileVersion | undefined;
  readonly sha512: FileVersion | undefined;
  /** Whether there is a repository at all. */
  readonly exists: boolean;
}

export const stampsOf = async (tree: Tree, repository: string): Promise<Stamps> => {
  const [tags, sha256, sha512] = await Promise.all([
    tree.tagsStamp(repository),
    tree.revisionsStamp(repository, "sha256"),
    tree.revisionsStamp(repository, "sha512"),
  ]);
  const some = tags !== undefined || sha256 !== undefined || sha512 !== undefined;
  return { tags, sha256, sha512, exists: some || (await tree.isRepository(repository)) };
};

export const sameStamp = (a: FileVersion | undefined, b: FileVersion | undefined): boolean =>
  a?.mtime === b?.mtime && a?.ino === b?.ino;

export const sameStamps = (a: Stamps, b: Stamps): boolean =>
  a.exists === b.exists && sameStamp(a.tags, b.tags) && sameStamp(a.sha256, b.sha256) && sameStamp(a.sha512, b.sha512);

/**
 * Whether something may have changed after a look and left the same time: file systems count in ticks of a clock that is up to
 * 10 ms coarse, some in whole seconds or two.
 * @param at when it was looked at
 */
export const isFresh = (stamp: FileVersion | undefined, at: number): boolean =>
  stamp !== undefined && Math.abs(at - stamp.mtime) <= (stamp.mtime % 1000 === 0 ? 2020 : 20);

export const areFresh = ({ tags, sha256, sha512 }: Stamps, at: number): boolean =>
  [tags, sha256, sha512].some((stamp) => isFresh(stamp, at));
