import type { Collected, ControlClient, Decision } from "@dray/server";
import { formatBytes, plural } from "@dray/service/figures";
import { DrayError, printable } from "dray/errors";
import { defined } from "dray/internal/defined";
import type { Act, Call, Define } from "../context.ts";
import { type AskingOptions, asking } from "../control-client.ts";
import { duration, outputFlag } from "../flags.ts";
import { printResult } from "../json.ts";
import { type ServingOptions, servingFlags } from "../serve-flags.ts";

interface GcOptions extends ServingOptions {
  readonly dryRun?: boolean;
  readonly grace?: number;
  readonly lease?: number;
  readonly untagged?: number;
  readonly pause?: number;
  readonly resume?: boolean;
  readonly empty?: boolean;
  readonly orphans?: boolean;
}

export const define: Define = (command) =>
  servingFlags(command)
    .option("--dry-run", "say what would be removed and why, and remove nothing")
    .option("--grace <duration>", "keep what is younger (default: the registry's dray.gc.grace)", duration)
    .option(
      "--lease <duration>",
      "0: nobody pushes now, so no promise of a blob counts (default: the registry's dray.gc.lease)",
      duration,
    )
    .option(
      "--untagged <duration>",
      "remove manifests without a tag that are older (default: the registry's dray.retention.untagged)",
      duration,
    )
    .option(
      "--pause <duration>",
      "collect nothing for so long, for a copy of the volume; a run that is going on ends",
      duration,
    )
    .option("--resume", "end the pause")
    .option("--empty", "also remove repositories that have nothing any more")
    .option(
      "--orphans",
      "also list signature and fallback tags whose image is gone, and remove those whose image was in their repository",
    )
    .addOption(outputFlag());

const how: AskingOptions<GcOptions> = { name: "gc", reads: ({ dryRun }) => dryRun === true };

export const examples: readonly string[] = ["dray serve gc --dry-run", "dray serve gc --grace 1h config.yml"];

/** 3 where something was kept or passed because it cannot be read or removed. Each decision as it is made with `--dry-run` or `-o json`, the sums at the end. */
export const act: Act<GcOptions> = asking(how, async (client, call) => {
  const { options, signal, reporter } = call;
  const { dryRun = false, grace, lease, untagged, empty, orphans, output, pause, resume } = options;
  if (pause !== undefined || resume === true) return pausing(client, call);
  const onProgress = (decision: Decision): void => {
    if (dryRun || output === "json" || decision.kind === "tag") void printResult(call, { decision }, lineOf(decision));
  };
  // What is not said is not there: the registry's own settings hold then.
  const wanted = {
    dryRun,
    ...(grace === undefined ? {} : { grace }),
    ...(lease === undefined ? {} : { lease }),
    ...(untagged === undefined ? {} : { untagged }),
    ...(empty === undefined ? {} : { empty }),
    ...(orphans === undefined ? {} : { orphans }),
  };
  const collected = await client.ask("gc", wanted, { signal, onProgress });
  for (const { repository, reason, remedy } of collected.held)
    reporter.warn(printable(`everything in ${repository} is kept: ${reason}; ${remedy}`));
  const { held, troubles, unswept } = collected;
  if (unswept !== undefined) reporter.warn(printable(`no blob was swept, since any may be needed: ${unswept}`));
  await printResult(call, { collected }, wordsOf(collected, dryRun));
  return held.length > 0 || troubles > 0 ? 3 : 0;
});

/** Alone among its flags. */
const pausing = async (client: ControlClient, call: Call<GcOptions>): Promise<number> => {
  const { dryRun, grace, lease, untagged, empty, orphans, pause, resume } = call.options;
  if (
    [dryRun, grace, lease, untagged, empty, orphans].some((each) => each !== undefined) ||
    (pause !== undefined && resume === true)
  )
    throw new DrayError("USAGE", "--pause and --resume stand alone: they collect nothing");
  const { until } = await client.ask("gc-pause", { milliseconds: resume === true ? 0 : (pause ?? 0) }, call);
  const words =
    until === undefined
      ? "garbage is collected again"
      : `no garbage is collected until ${new Date(until).toISOString()}; "dray serve gc --resume" ends that`;
  await printResult(call, defined({ until }), words);
  return 0;
};

const wordsOf = (
  { notBefore, clockWentBy, manifests, layers, blobs, bytes, kept, troubles, tags, repositories }: Collected,
  dryRun: boolean,
): string => {
  if (notBefore !== undefined && clockWentBy !== undefined)
    return `nothing was removed: the system's clock went ${clockWentBy > 0 ? "forward" : "back"} by ${Math.round(Math.abs(clockWentBy) / 1000)} s, so ages may be wrong; gc waits until ${new Date(notBefore).toISOString()}; --lease 0 does not wait`;
  if (notBefore !== undefined)
    return `nothing was removed: pushes from before the start may still be on their way until ${new Date(notBefore).toISOString()}; --lease 0 does not wait`;
  const sums = [plural(manifests, "manifest"), plural(layers, "link"), plural(blobs, "blob"), formatBytes(bytes)];
  if (tags > 0) sums.unshift(plural(tags, "tag"));
  if (repositories > 0) sums.unshift(repositories === 1 ? "1 repository" : `${repositories} repositories`);
  const passed = troubles === 0 ? "" : `; passed over ${plural(troubles, "thing")} that could not be read or removed`;
  return `${dryRun ? "would remove" : "removed"} ${sums.join(", ")}; kept ${kept} for now${passed}`;
};

const lineOf = ({ action, kind, repository, digest, id, bytes, reason }: Decision): string =>
  [
    action.padEnd(6),
    kind.padEnd(10),
    kind === "tag" ? `${repository}:${id}` : [repository, digest ?? id].filter((part) => part !== undefined).join(" "),
    ...(bytes === undefined ? [] : [formatBytes(bytes)]),
    `(${reason})`,
  ]
    .map(printable)
    .join(" ");
