import { formatBytes, plural } from "@dray/service/figures";
import { Option } from "commander";
import type { Act, Define } from "../context.ts";
import { type CacheOptions, cacheOf, cachePathFlag } from "../files/index.ts";
import { duration, type ListingOptions, outputFlag, size } from "../flags.ts";
import { printResult } from "../json.ts";

interface PruneOptions extends ListingOptions, CacheOptions {
  readonly keep?: number;
  readonly unusedFor?: number;
  readonly all?: boolean;
  readonly dryRun?: boolean;
}

export const define: Define = (command) =>
  command
    .addOption(cachePathFlag())
    .addOption(
      new Option(
        "--keep <bytes>",
        "leave so much, such as 2GB; what was not used for longest goes first (default 10GiB)",
      ).argParser(size),
    )
    .addOption(
      new Option("--unused-for <duration>", "also what nobody has used for so long, such as 30d").argParser(duration),
    )
    .addOption(new Option("--all", "everything").conflicts(["keep", "unusedFor"]))
    .option("--dry-run", "say what would be done, and do nothing")
    .addOption(outputFlag());

export const examples: readonly string[] = [
  "dray cache prune --unused-for 30d",
  "dray cache prune --keep 2GB --dry-run",
];

/** Blobs that are kept, their indexes, and what was never finished; nothing else that lies there. */
export const act: Act<PruneOptions> = async (call) => {
  const { all, keep, unusedFor, dryRun = false } = call.options;
  const cache = cacheOf(call);
  const { removed, left } = await cache.prune({
    keep: all === true ? 0 : keep,
    unusedFor,
    dryRun,
    signal: call.signal,
  });
  const bytes = removed.reduce((sum, blob) => sum + blob.size, 0);
  for (const { digest, kind } of dryRun && call.options.output !== "json" ? removed : [])
    await call.out.line(kind === "index" ? `${digest} index` : digest);
  const indexes = removed.filter(({ kind }) => kind === "index").length;
  const counted = `${plural(removed.length - indexes, "blob")}${indexes === 0 ? "" : ` and ${indexes === 1 ? "1 index" : `${indexes} indexes`}`}`;
  await printResult(
    call,
    {
      directory: cache.directory,
      dryRun,
      removed: removed.map(({ digest, kind, size: of }) => ({ digest, kind, size: of })),
      left,
    },
    `${dryRun ? "would remove" : "removed"} ${counted}, ${formatBytes(bytes)}; ${formatBytes(left)} left`,
  );
  if (removed.length === 0 && left > 0)
    call.reporter.note(
      `all of it is within ${keep === undefined ? formatBytes(cache.limit) : formatBytes(keep)}${unusedFor === undefined ? "" : ", and was used"}; --keep, --unused-for or --all remove more`,
    );
};
