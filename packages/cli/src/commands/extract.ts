import { formatBytes, plural } from "@dray/service/figures";
import type { Located } from "dray/content";
import { DrayError, isDrayError, restated } from "dray/errors";
import { type Extracted, type ExtractLimits, extract, extractByTar, type LeftOut } from "dray/image";
import { defined } from "dray/internal/defined";
import { openImage } from "dray/locations";
import type { Act, Call, Define } from "../context.ts";
import { localImage } from "../detect.ts";
import { type ListingOptions, onePlatform, outputFlag, positive, size } from "../flags.ts";
import { openedToRead } from "../images.ts";
import { document } from "../json.ts";
import { calling } from "../typed-as.ts";

interface ExtractFlags extends ListingOptions {
  readonly tar?: boolean;
  readonly sameOwner?: boolean;
  readonly maxSize?: number;
  readonly maxEntries?: number;
  readonly maxRatio?: number;
}

export const define: Define = (command) =>
  command
    .argument("<image>", "a reference, a location such as oci:DIR:NAME, or - for what docker saved, on stdin")
    .argument("<directory>", "where the files go: a directory that is empty, or not there")
    .option("--tar", "let GNU tar make the files: with capabilities and other attributes, devices and pipes")
    .option(
      "--no-same-owner",
      "all files belong to whoever calls this, and none is set-uid (default: unless root does)",
    )
    .option("--max-size <size>", "bytes that the files may take (default: what is free there)", size)
    .option("--max-entries <count>", "files, directories and links that there may be (default 2000000)", positive)
    .option("--max-ratio <number>", "how many times its size a layer may become (default 1100)", positive)
    .addOption(outputFlag());

export const examples: readonly string[] = [
  "dray extract alpine:3.20 rootfs",
  "dray extract --platform linux/arm64 --tar alpine:3.20 /srv/rootfs",
  "dray extract --no-same-owner oci:mirror:app app",
];

export const act: Act<ExtractFlags> = async (call, [image = "", directory = ""]) => {
  const { options, signal, out, reporter, stdin } = call;
  if (directory === "") throw new DrayError("USAGE", "the DIRECTORY is empty: name one that is empty, or not there");
  refuseLimitsOfTar(call);
  const located =
    image === "-" ? await localImage("-", { index: false, stdin, signal }) : await openedToRead(call, image);
  const called = image === "-" ? "standard input" : image;
  const view = await calling(called, () => openImage(located as Located, { platform: onePlatform(options), signal }));
  const reading = { signal, onEvent: reporter.onEvent };
  const { digest } = view.descriptor;
  if (options.tar === true) {
    await calling(called, () => extractByTar(view, directory, reading));
    if (options.output === "json") await out.line(document({ reference: image, digest, directory }));
    return;
  }
  const { maxSize, maxEntries, maxRatio, sameOwner } = options;
  const limits: ExtractLimits = defined({ bytes: maxSize, entries: maxEntries, ratio: maxRatio });
  const owners = sameOwner === false ? false : undefined;
  const result = await calling(called, () => extract(view, directory, { ...reading, limits, owners })).catch(
    (error: unknown) => {
      throw byFlag(error);
    },
  );
  for (const left of result.leftOut) reporter.warn(sentence(left));
  if (options.output === "json") await out.line(document({ reference: image, directory, ...result }));
  else reporter.note(summary(result, directory));
};

const flags: Readonly<Record<string, string>> = { bytes: "--max-size", entries: "--max-entries", ratio: "--max-ratio" };

/** A limit by the name that it has here. */
const byFlag = (error: unknown): unknown =>
  isDrayError(error, "LIMIT_EXCEEDED")
    ? restated(
        error,
        error.code,
        error.message.replace(/(?<=; raise )limits\.(\w+)/, (limit, name) => flags[name] ?? limit),
      )
    : error;

/** Tar has none of its own. */
const refuseLimitsOfTar = ({ options }: Call<ExtractFlags>): void => {
  if (options.tar !== true) return;
  const said = [
    ["--no-same-owner", options.sameOwner === false],
    ["--max-size", options.maxSize !== undefined],
    ["--max-entries", options.maxEntries !== undefined],
    ["--max-ratio", options.maxRatio !== undefined],
  ] as const;
  const flag = said.find(([, isSaid]) => isSaid)?.[0];
  if (flag !== undefined)
    throw new DrayError("USAGE", `${flag} cannot be kept where tar makes the files; leave out --tar`);
};

const summary = ({ files, directories, symlinks, hardlinks, bytes }: Extracted, directory: string): string =>
  `extracted ${plural(files, "file")} of ${formatBytes(bytes)}, ${directories} ${directories === 1 ? "directory" : "directories"} and ${plural(symlinks + hardlinks, "link")} to ${directory}`;

const sayings: Readonly<Record<LeftOut["what"], string>> = {
  attributes: "have extended attributes, which are left out; --tar sets them",
  device: "are devices, which are left out; --tar makes them",
  pipe: "are pipes, which are left out; --tar makes them",
  owner: "belong to somebody else in the image",
  "set-id": "are set-uid or set-gid in the image, and are not here, because they belong to you",
};

const sentence = ({ what, count, paths }: LeftOut): string => {
  const more = count - paths.length;
  return `${count} of the files ${sayings[what]}: ${paths.join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
};
