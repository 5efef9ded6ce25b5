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
    for (const { digest, setAt } of times) {
      if (!manifests.has(digest)) continue;
      const next = times.reduce(
        (least, { setAt: other }) => (other > setAt ? Math.min(least, other) : least),
        Number.POSITIVE_INFINITY,
      );
      // Where it is not known when, it is now.
      const at = Number.isFinite(next) ? next : Math.max(setAt, current?.version.mtime ?? run.now());
      left.set(digest, Math.max(left.get(digest) ?? 0, at));
    }
  }
  return left;
};
