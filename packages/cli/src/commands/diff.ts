import { formatBytes } from "@dray/service/figures";
import { Option } from "commander";
import { DrayError } from "dray/errors";
import { diff, type Image, type ImageDiff } from "dray/image";
import type { Act, Define } from "../context.ts";
import {
  type CacheOptions,
  type Compared,
  type ComparedPair,
  cacheFlags,
  comparedImages,
  describedChange,
  diffLines,
} from "../files/index.ts";
import { type ListingOptions, outputFlag, size } from "../flags.ts";
import { document, jsonText } from "../json.ts";
import type { Output } from "../output.ts";
import { calling } from "../typed-as.ts";

interface DiffOptions extends ListingOptions, CacheOptions {
  readonly maxGrowth?: number;
  readonly sharedLayers?: boolean;
}

export const define: Define = (command) => {
  command
    .argument("<before>", "an image, or an index: a reference, or a location such as oci:DIR:NAME")
    .argument("<after>", "another one")
    .addOption(
      new Option(
        "--max-growth <bytes>",
        "fail only if the layers became larger than that, compressed, such as 5MB; 0 for not at all",
      ).argParser(size),
    )
    .option("--shared-layers", "read the layers that both have, too: tells what new files have replaced")
    .addOption(outputFlag());
  for (const flag of cacheFlags()) command.addOption(flag);
};

export const examples: readonly string[] = [
  "dray diff alpine:3.19 alpine:3.20",
  "dray diff --max-growth 5MB --platform linux/amd64 ghcr.io/acme/app oci:build",
];

/** Exit code 1 where they differ, as with `diff`; with `--max-growth` only where that is exceeded. */
export const act: Act<DiffOptions> = async (call, [before = "", after = ""]) => {
  const { options, out, signal } = call;
  const difference = (one: Image, other: Image): Promise<ImageDiff> =>
    calling(`${before} and ${after}`, () => diff(one, other, { sharedLayers: options.sharedLayers, signal }));
  const compared = await comparedImages(call, before, after);
  const { pairs } = compared;
  let differs = false;
  const grown: string[] = [];
  const json = options.output === "json" ? documentOf(out, compared) : undefined;
  for (const pair of pairs) {
    const found =
      pair.before === undefined || pair.after === undefined ? undefined : await difference(pair.before, pair.after);
    differs ||= found?.differs ?? true;
    if (json !== undefined) await json.pair(pair, found);
    else for (const line of textOf(compared, pair, found)) await out.line(line);
    const growth = (found?.size.after ?? 0) - (found?.size.before ?? 0);
    if (options.maxGrowth !== undefined && growth > options.maxGrowth)
      grown.push(`${pairs.length > 1 ? `${pair.platform} by ` : ""}${formatBytes(growth)}`);
  }
  await json?.end(differs);
  if (options.maxGrowth === undefined) return differs ? 1 : 0;
  if (grown.length === 0) return 0;
  throw new DrayError(
    "CHECK_FAILED",
    `${after} is larger than ${before} by more than ${formatBytes(options.maxGrowth)}: ${pairs.length > 1 ? "" : "by "}${grown.join(", ")}`,
    { reference: after },
  );
};

function* textOf(
  { before, after, pairs }: Compared,
  pair: ComparedPair,
  found: ImageDiff | undefined,
): Generator<string> {
  const lines = found === undefined ? [`only ${pair.before === undefined ? after : before} has it`] : diffLines(found);
  let none = true;
  for (const line of lines) {
    if (none && pairs.length > 1) yield `${pair.platform}`;
    none = false;
    yield line;
  }
}

/** One document, printed while it is found out: there may be hundreds of thousands of files. */
const documentOf = (out: Output, { before, after, digests }: Compared) => {
  const head = document({
    before: { location: before, digest: digests[0] },
    after: { location: after, digest: digests[1] },
  }).slice(0, -1);
  let separator = `${head},"images":[`;
  const start = separator;
  return {
    pair: async (
      { platform, before: one, after: other }: ComparedPair,
      found: ImageDiff | undefined,
    ): Promise<void> => {
      const members = { platform, before: one?.descriptor.digest, after: other?.descriptor.digest };
      if (found === undefined) await out.text(`${separator}${jsonText({ ...members, differs: true })}`);
      else {
        const { files, said, packages, layers, differs, size: bytes } = found;
        const facts = { ...members, differs, size: bytes, layers, said, packages };
        await out.text(`${separator}${jsonText(facts).slice(0, -1)},"files":[`);
        let comma = "";
        for (const change of files()) {
          await out.text(comma + jsonText(describedChange(change)));
          comma = ",";
        }
        await out.text("]}");
      }
      separator = ",";
    },
    end: async (differs: boolean): Promise<void> => {
      await out.line(`${separator === start ? start : ""}],"differs":${differs}}`);
    },
  };
};
