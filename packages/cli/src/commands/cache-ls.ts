import { formatBytes } from "@dray/service/figures";
import type { Act, Define } from "../context.ts";
import { type CacheOptions, cacheOf, cachePathFlag } from "../files/index.ts";
import { type ListingOptions, outputFlag } from "../flags.ts";
import { printResult } from "../json.ts";

export const define: Define = (command) => command.addOption(cachePathFlag()).addOption(outputFlag());

export const examples: readonly string[] = ["dray cache ls", "dray cache ls -o json --cache_path /var/cache/crane"];

/** What was used last comes first. */
export const act: Act<ListingOptions & CacheOptions> = async (call) => {
  const cache = cacheOf(call);
  const blobs = (await cache.list()).sort((a, b) => b.used.getTime() - a.used.getTime());
  const described = blobs.map(({ digest, kind, size, used }) => ({ digest, kind, size, used: used.toISOString() }));
  await printResult(
    call,
    { directory: cache.directory, blobs: described },
    described.map(
      ({ digest, kind, size, used }) =>
        `${digest} ${formatBytes(size).padStart(10)} ${used.replace(/\.\d+/, "")}${kind === "index" ? " index" : ""}`,
    ),
  );
};
