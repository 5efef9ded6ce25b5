import { duration, isOld, passing, type Run, unlisted } from "./run.ts";

/** Removes repositories that have had nothing for longer than the grace: they would stand in the catalog for ever. */
export const collectEmpty = async (run: Run): Promise<void> => {
  const { tree, reconciler, uploads, yielding } = run;
  for await (const { repository, manifests, layers, valid } of tree.walk({ onBroken: unlisted(run) })) {
    await yielding.turn();
    if (!valid || !(manifests || layers)) continue;
    await passing(run, async () => {
      const since = await tree.emptied.since(repository);
      if (since === undefined || uploads.isOpenIn(repository, run.lease)) return;
      const ago = duration(run.now() - since);
      if (!isOld(run, since)) {
        const reason = `it has had nothing for ${ago}, which is within the grace of ${duration(run.grace)}`;
        run.decide({ kind: "repository", repository, action: "keep", reason });
        return;
      }
      const remove = (): Promise<boolean> => reconciler.takeAway(repository, () => tree.emptied.remove(repository));
      if (!run.dryRun && !(await remove())) return;
      run.forget(repository);
      run.decide({
        kind: "repository",
        repository,
        action: "remove",
        reason: `it has had nothing for ${ago}`,
      });
    });
  }
};
