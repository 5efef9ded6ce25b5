import type { Decision } from "@dray/server";
import { type Command, Option } from "commander";
import { printable } from "dray/errors";
import type { Call } from "../context.ts";
import { maintained } from "../control-client.ts";
import { duration, outputFlag } from "../flags.ts";
import { document, jsonText } from "../json.ts";
import { formatBytes, plural } from "../progress/index.ts";
import { type ServingOptions, servingFlags } from "../serve-flags.ts";

interface GcOptions extends ServingOptions {
  readonly dryRun?: boolean;
  readonly grace?: number;
  readonly lease?: number;
  readonly untagged?: number;
}

export const define = (command: Command): void => {
  servingFlags(command)
    .option("--dry-run", "say what would be removed and why, and remove nothing")
    .addOption(new Option("--grace <duration>", "keep what is younger (default 24h)").argParser(duration))
    .addOption(
      new Option("--lease <duration>", "0: do not wait for pushes that may be on their way (default 1h)").argParser(
        duration,
      ),
    )
    .addOption(
      new Option("--untagged <duration>", "remove manifests without a tag that are older (default never)").argParser(
        duration,
      ),
    )
    .addOption(outputFlag());
};

/** Each decision as it is made with `--dry-run` or `-o json`, the sums at the end. */
export const act = (call: Call<GcOptions>, words: readonly string[]): Promise<void> =>
  maintained(call, words, async (client) => {
    const { options, out, signal, reporter } = call;
    const { dryRun = false, grace, lease, untagged, output } = options;
    const wanted = {
      dryRun,
      ...(grace === undefined ? {} : { grace }),
      ...(lease === undefined ? {} : { lease }),
      ...(untagged === undefined ? {} : { untagged }),
    };
    const tell = (decision: Decision): void => {
      if (output === "json") void out.line(jsonText({ schemaVersion: 1, decision }));
      else if (dryRun) void out.line(lineOf(decision));
    };
    const collected = await client.ask("gc", wanted, { signal, onProgress: tell });
    for (const { repository, digest } of collected.unreadable)
      reporter.warn(`${printable(repository)} has a manifest that cannot be read, ${digest}; all its blobs are kept`);
    if (output === "json") {
      await out.line(document({ collected }));
      return;
    }
    if (collected.notBefore !== undefined) {
      const until = new Date(collected.notBefore).toISOString();
      await out.line(
        `nothing was removed: pushes from before the start may still be on their way until ${until}; --lease 0 does not wait`,
      );
      return;
    }
    const { manifests, layers, blobs, bytes, kept } = collected;
    await out.line(
      `${dryRun ? "would remove" : "removed"} ${plural(manifests, "manifest")}, ${plural(layers, "link")}, ${plural(blobs, "blob")}, ${formatBytes(bytes)}; kept ${kept} for now`,
    );
  });

const lineOf = ({ action, kind, repository, digest, id, bytes, reason }: Decision): string =>
  [
    action.padEnd(6),
    kind.padEnd(10),
    [repository, digest ?? id].filter((part) => part !== undefined).join(" "),
    ...(bytes === undefined ? [] : [formatBytes(bytes)]),
    `(${reason})`,
  ]
    .map((part) => printable(part))
    .join(" ");
