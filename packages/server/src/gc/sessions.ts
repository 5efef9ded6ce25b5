import { duration, type Run, writtenAgo } from "./run.ts";

/** Removes upload sessions that nobody added to for too long. */
export const collectUploads = async (run: Run): Promise<void> => {
  const { uploads, uploadAge, now } = run;
  const before = now() - uploadAge;
  for await (const { repository, id, size, addedAt } of uploads.list()) {
    if (addedAt < before)
      run.decide({
        kind: "upload",
        repository,
        id,
        action: "remove",
        reason: `last ${writtenAgo(run, addedAt)}; uploads stay for ${duration(uploadAge)}`,
        bytes: size,
      });
    await run.yielding.turn();
  }
  if (!run.dryRun) await uploads.purge(before);
};
