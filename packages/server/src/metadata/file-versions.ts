import { type FileVersion, sameVersion, type Tree } from "../distribution-tree/index.ts";

/** The states of the directories that change when a tag or a manifest comes or goes. */
export interface FileVersions {
  readonly tags: FileVersion | undefined;
  readonly sha256: FileVersion | undefined;
  readonly sha512: FileVersion | undefined;
  /** Whether there is a repository at all. */
  readonly exists: boolean;
}

export const versionsOf = async (tree: Tree, repository: string): Promise<FileVersions> => {
  const [tags, sha256, sha512] = await Promise.all([
    tree.tagsVersion(repository),
    tree.revisionsVersion(repository, "sha256"),
    tree.revisionsVersion(repository, "sha512"),
  ]);
  const some = tags !== undefined || sha256 !== undefined || sha512 !== undefined;
  return { tags, sha256, sha512, exists: some || (await tree.isRepository(repository)) };
};

export const sameVersions = (a: FileVersions, b: FileVersions): boolean =>
  a.exists === b.exists &&
  sameVersion(a.tags, b.tags) &&
  sameVersion(a.sha256, b.sha256) &&
  sameVersion(a.sha512, b.sha512);

/**
 * Whether something may have changed after a look and left the same time: file systems count in ticks of a clock that is up to
 * 10 ms coarse, some in whole seconds or two.
 * @param at when it was looked at
 */
export const isRacy = (version: FileVersion | undefined, at: number): boolean =>
  version !== undefined && Math.abs(at - version.mtime) <= (version.mtime % 1000 === 0 ? 2020 : 20);

export const areRacy = ({ tags, sha256, sha512 }: FileVersions, at: number): boolean =>
  [tags, sha256, sha512].some((version) => isRacy(version, at));
