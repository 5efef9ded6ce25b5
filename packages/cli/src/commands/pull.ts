import { lstat } from "node:fs/promises";
import { InvalidArgumentError, Option } from "commander";
import { dockerArchive, legacyArchive } from "dray/archive";
import type { Located, ReadableStore, Store } from "dray/content";
import type { CopyPair } from "dray/copy";
import { DrayError } from "dray/errors";
import { layoutStore, ociArchive } from "dray/layout";
import { open, parseLocation } from "dray/locations";
import { formatReference, isDigest, type WantedPlatform } from "dray/oci";
import type { Act, Call, Define } from "../context.ts";
import { type CacheOptions, cachePathFlag, cacheSizeFlag, withCache } from "../files/index.ts";
import { type ListingOptions, onePlatform, outputFlag } from "../flags.ts";
import { defaultPlatform, referenceOf } from "../images.ts";
import { warnOfLocal } from "../local-names.ts";
import { registriesFor } from "../registries.ts";
import { longNameOf } from "../short-names.ts";
import { refusePullToLocation, refusePullToRegistry } from "../swapped.ts";
import { moveAll, reportMoved } from "../transfer-report.ts";

const formats = ["tarball", "legacy", "oci"] as const;

interface PullOptions extends ListingOptions, CacheOptions {
  readonly format?: (typeof formats)[number];
  readonly annotateRef?: boolean;
}

export const define: Define = (command) =>
  command
    .usage("[options] IMAGE... PATH")
    .argument("<images-and-path...>", "references, then the file or directory to write; - is stdout")
    .addOption(
      withHint(
        new Option(
          "--format <format>",
          "what docker load reads, its old form, or an OCI layout (default tarball)",
        ).choices(formats),
      ),
    )
    .option("--annotate-ref", "with oci: keep each reference as the name of its entry")
    .addOption(cachePathFlag("keep layers there, and pull none that is there (default: none is kept)"))
    .addOption(cacheSizeFlag())
    .addOption(outputFlag());

/** What other tools call the forms of archive: one is the usual form here, and the other is written by another command. */
const elsewhere: Readonly<Record<string, string>> = {
  "oci-archive": "an OCI archive is written by dray copy IMAGE oci-archive:FILE",
  "oci-dir": "an OCI layout is --format oci",
  "docker-archive": "what docker load reads is --format tarball",
  docker: "what docker load reads is --format tarball",
};

/** The choices of a flag, and what to write for one that is none of them. */
const withHint = (option: Option): Option => {
  const { parseArg } = option;
  return option.argParser((value, before) => {
    const hint = Object.hasOwn(elsewhere, value) ? elsewhere[value] : undefined;
    if (hint !== undefined) throw new InvalidArgumentError(`Here ${hint}.`);
    return parseArg?.(value, before);
  });
};

export const examples: readonly string[] = [
  "dray pull alpine:3.20 alpine.tar",
  "dray pull --format oci alpine:3.20 mirror",
  "dray pull alpine:3.20 - | docker load",
];

export const act: Act<PullOptions> = async (call, words) => {
  const [images, path] = [words.slice(0, -1), words.at(-1) ?? ""];
  if (images.length === 0)
    throw new DrayError(
      "USAGE",
      "say where to: dray pull IMAGE... PATH, where PATH is a file to write, or - for stdout",
    );
  if (path === "")
    throw new DrayError("USAGE", "the PATH is empty: name the file or directory to write, or - for stdout");
  if (call.options.output === "json" && path === "-")
    throw new DrayError("USAGE", "-o json and an archive cannot both go to stdout");
  refusePullToLocation(images, path);
  await refusePullToRegistry(images, path);
  if (call.options.format === "oci" && /\.(?:tar|tgz|tar\.gz)$/.test(path) && (await isNothing(path)))
    call.reporter.warn(
      `${path} is made as a directory, which a layout is; one file is written by dray copy ${images[0]} oci-archive:${path}`,
    );
  const whole: string[] = [];
  for (const image of images) {
    const location = await longNameOf(call, image);
    await warnOfLocal(call, location);
    whole.push(location);
  }
  const began = performance.now();
  const store = targetOf(call, path);
  const { connectToRead, engine } = await registriesFor(call);
  const pairs: CopyPair[] = [];
  for (const image of whole)
    pairs.push({
      source: kept(call, await open(image, { connect: connectToRead, engine })),
      target: { store, name: nameFor(call.options, image), location: path },
    });
  const result = await moveAll(call, pairs, { platforms: platformsFor(call.options), foreignLayers: "if-there" });
  await reportMoved(call, result, "pulled", began);
};

const isNothing = (path: string): Promise<boolean> =>
  lstat(path).then(
    () => false,
    () => true,
  );

/** As with crane, only where somebody says where. What is copied is checked on its way, so that nothing damaged is pulled. */
const kept = (call: Call<PullOptions>, source: Located): Located<ReadableStore> =>
  call.options.cache_path ? { ...source, store: withCache(call, source.store) } : source;

const targetOf = ({ options, stdout }: Call<PullOptions>, path: string): Store => {
  switch (options.format) {
    case "oci":
      return path === "-" ? ociArchive("-", { output: stdout }) : layoutStore(path);
    case "legacy":
      return legacyArchive(path, { output: stdout });
    default:
      return dockerArchive(path, { output: stdout });
  }
};

/** Archives for docker hold names, a layout only where it is asked to. */
const nameFor = ({ format, annotateRef }: PullOptions, image: string): string => {
  const name = nameInArchive(image);
  if (format !== "oci" || name === "") return name;
  return annotateRef === true ? formatReference(referenceOf(name)) : "";
};

/** An image of an engine has the name that it has there; one that was named by its ID has none. */
const nameInArchive = (image: string): string => {
  const location = parseLocation(image);
  if (location.kind !== "docker-daemon") return image;
  return isDigest(location.name) || /^[0-9a-f]{12,64}$/.test(location.name) ? "" : location.name;
};

/** An archive for docker holds images of one platform; a layout takes an index as it is. */
const platformsFor = (options: PullOptions): readonly WantedPlatform[] => {
  const platform = onePlatform(options);
  if (platform !== undefined) return [platform];
  return options.format === "oci" ? [] : [defaultPlatform];
};
