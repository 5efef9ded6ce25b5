import { formatBytes, plural } from "@dray/service/figures";
import { DrayError, printable } from "dray/errors";
import { collectLayoutGarbage } from "dray/layout";
import { parseLocation } from "dray/locations";
import type { Act, Define } from "../context.ts";
import { type ListingOptions, outputFlag } from "../flags.ts";
import { document } from "../json.ts";

interface GcOptions extends ListingOptions {
  readonly dryRun?: boolean;
}

export const define: Define = (command) =>
  command
    .argument("<directory>", "directory with an OCI layout")
    .option("--dry-run", "say what would be removed, and do nothing")
    .addOption(outputFlag());

export const examples: readonly string[] = ["dray layout gc --dry-run mirror", "dray layout gc mirror"];

/** Nothing on stdout, as with crane: what is removed is named on stderr. A dry run is asked for its list. */
export const act: Act<GcOptions> = async ({ options, out, reporter, signal }, [directory = ""]) => {
  const { dryRun = false, output } = options;
  const dir = directoryOf(directory);
  const { removed, kept } = await collectLayoutGarbage(dir, {
    dryRun,
    signal,
    onRemoved: ({ digest }) => (dryRun ? undefined : reporter.note(`removed ${digest}`)),
  });
  const bytes = removed.reduce((sum, { size }) => sum + size, 0);
  if (output === "json") await out.line(document({ directory: dir, dryRun, removed, kept }));
  else if (dryRun) for (const { digest } of removed) await out.line(digest);
  reporter.summary(
    `${dryRun ? "would remove" : "removed"} ${plural(removed.length, "blob")} of ${printable(dir)}, ${formatBytes(bytes)}; ${plural(kept, "blob")} left`,
    { removed: removed.length, bytes, kept, dryRun },
  );
};

const directoryOf = (text: string): string => {
  if (!/^[a-z-]+:/.test(text)) return text;
  const location = parseLocation(text);
  if (location.kind === "oci" && location.name === "") return location.path;
  throw new DrayError(
    "USAGE",
    `${text} is no directory with an OCI layout; a single image is taken out by dray delete`,
    {
      reference: text,
    },
  );
};
