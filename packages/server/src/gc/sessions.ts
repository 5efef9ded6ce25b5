import { uploadData } from "../distribution-tree/index.ts";
import { duration, type Run, writtenAgo } from "./run.ts";

/** Removes upload sessions that nobody added to for too long. */
export const collectUploads = async (run: Run): Promise<void> => {
  const { tree, uploads, uploadAge, now } = run;
  const before = now() - uploadAge;
  for await (const { repository, id, size, startedAt } of uploads.list()) {
    const facts = await tree.driver.stat(uploadData(repository, id));
    const time = Math.max(startedAt, facts?.mtime ?? 0);
    if (time < before)
      run.decide({
        kind: "upload",
        repository,
        id,
        action: "remove",
        reason: `last ${writtenAgo(run, time)}; uploads stay for ${duration(uploadAge)}`,
        bytes: size,
      });
    await run.pace.turn();
  }
  if (!run.dryRun) await uploads.purge(before);
};
