import type { RepositoryUsage } from "@dray/server";
import { formatBytes, plural } from "@dray/service/figures";
import { printable } from "dray/errors";
import type { Act } from "../context.ts";
import { asking } from "../control-client.ts";
import type { ListingOptions } from "../flags.ts";
import { printResult } from "../json.ts";
import type { ServingOptions } from "../serve-flags.ts";

type DuOptions = ServingOptions & ListingOptions;

export { askingFlags as define } from "../control-client.ts";

export const examples: readonly string[] = ["dray serve du --data /srv/registry"];

/** Repositories by what they would give back, the largest first; the sum at the end. */
export const act: Act<DuOptions> = asking({ name: "du", reads: () => true }, async (client, call) => {
  const repositories: RepositoryUsage[] = [];
  const { signal } = call;
  const onProgress = (usage: RepositoryUsage): void => void repositories.push(usage);
  const total = await client.ask("du", {}, { signal, onProgress });
  repositories.sort((a, b) => b.own - a.own || b.bytes - a.bytes);
  if (call.options.output !== "json") await call.out.line(row("OWN", "ALL", "TAGS", "REPOSITORY"));
  for (const usage of repositories) {
    const { repository, tags, bytes, own } = usage;
    await printResult(
      call,
      { ...usage },
      row(formatBytes(own), formatBytes(bytes), String(tags), printable(repository)),
    );
  }
  const { blobs, bytes, unlinked, quarantined } = total;
  const sums = `${plural(blobs, "blob")}, ${formatBytes(bytes)} in all, ${formatBytes(unlinked)} of it in no repository${quarantined === 0 ? "" : `; ${formatBytes(quarantined)} put aside in dray/quarantine`}`;
  const count = total.repositories === 1 ? "1 repository" : `${total.repositories} repositories`;
  await printResult(call, { total }, `${count}: ${sums}`);
});

const row = (own: string, all: string, tags: string, repository: string): string =>
  `${own.padStart(10)}  ${all.padStart(10)}  ${tags.padStart(7)}  ${repository}`;
