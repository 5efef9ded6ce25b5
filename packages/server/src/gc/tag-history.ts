import { type Digest, isTag } from "dray/oci";
import type { Run } from "./run.ts";

/**
 * When the last tag left each of these manifests, by the history that each tag keeps in the tree; milliseconds since 1970. It left one
 * when it was next set to another, and the history knows when that was or a later time, never an earlier one.
 */
export const leftByTags = async (
  run: Run,
  repository: string,
  manifests: { has(digest: Digest): boolean },
): Promise<ReadonlyMap<Digest, number>> => {
  const { tree, yielding } = run;
  const left = new Map<Digest, number>();
  for (const name of await tree.tagFolders(repository)) {
    await yielding.turn();
    if (!isTag(name)) continue;
    const history = await Array.fromAsync(tree.tagHistory(repository, name));
    if (!history.some((digest) => manifests.has(digest))) continue;
    const times: { readonly digest: Digest; readonly setAt: number }[] = [];
    for (const digest of history) {
      const setAt = await tree.tagSetAt(repository, name, digest);
      if (setAt !== undefined) times.push({ digest, setAt });
      await yielding.turn();
    }
    const current = await tree.tag(repository, name);
    // From the last to the first: what it was set to next is known already.
    let [next, last] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
    for (const { digest, setAt } of times.sort((a, b) => b.setAt - a.setAt)) {
      if (setAt < last) [next, last] = [last, setAt];
      if (!manifests.has(digest)) continue;
      // Where it is not known when, it is now.
      const at = Number.isFinite(next) ? next : Math.max(setAt, current?.version.mtime ?? run.now());
      left.set(digest, Math.max(left.get(digest) ?? 0, at));
    }
  }
  return left;
};

/**
 * Until when a manifest that no history names may have had a tag: another program that deletes a tag takes its history with it. Of that the
 * folder of the tags tells, which changes when one goes, and also when one comes; so it is noted in the tree when a manifest is first seen
 * without a tag, and counted from there. `0`: since it was written no tag went. Milliseconds since 1970.
 * @param written when its link or content was last written: a note from before that means nothing, since a tag may have come with it
 */
export const mayHaveLost = async (
  { tree, dryRun, now }: Run,
  repository: string,
  digest: Digest,
  written: number,
  age: number,
): Promise<number> => {
  const changed = (await tree.tagsVersion(repository))?.mtime ?? 0;
  const noted = await tree.notes.untaggedSince(repository, digest);
  const isNoted = noted !== undefined && noted > written;
  // Also where none went so far: later nobody could tell. Where it cannot be written the manifest stays for longer.
  if (!isNoted && !dryRun && now() - Math.max(changed, written) <= age)
    await tree.notes.noteUntagged(repository, digest).catch(() => {});
  if (changed <= written) return 0;
  return isNoted ? Math.min(noted, changed) : changed;
};
