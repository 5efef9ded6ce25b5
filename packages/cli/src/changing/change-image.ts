import { plural } from "@dray/service/figures";
import type { Command } from "commander";
import { dockerArchive } from "dray/archive";
import type { Located, ReadableStore, WritableStore } from "dray/content";
import { DrayError } from "dray/errors";
import { type Edited, type Image, type ImageIndex, viewOf } from "dray/image";
import { defined } from "dray/internal/defined";
import { open, parseLocation } from "dray/locations";
import { annotationKeys, type Compression, type Descriptor, formatReference, isIndexType, mediaTypes } from "dray/oci";
import type { Call } from "../context.ts";
import { gather, onePlatform, outputFlag, positive } from "../flags.ts";
import { defaultPlatform, digestReference, opened } from "../images.ts";
import { warnOfLocal } from "../local-names.ts";
import { registriesFor } from "../registries.ts";
import { type MovedRoot, type MovingOptions, moveAll, reportMoved } from "../transfer-report.ts";
import { calling, typedAs } from "../typed-as.ts";
import { type Bench, benchFor } from "./bench.ts";

/** Where a changed image goes, as crane has it. `output`, see `outputOf`. */
export interface ChangingOptions extends Omit<MovingOptions, "output"> {
  readonly tag?: string;
  readonly repo?: string;
  readonly output?: readonly string[] | "text" | "json";
  /** Of new layers. */
  readonly compression?: Compression;
}

/** The flags by which every command that changes an image is told where it goes. */
export const changingFlags = (
  command: Command,
  { repo = false, file = true }: { readonly repo?: boolean; readonly file?: boolean } = {},
): Command => {
  command.option(
    "-t, --tag <image>",
    "where the result goes (default: under the same name; beside it, where a digest was named)",
  );
  if (repo) command.option("--repo <repository>", "where the result goes, by its digest alone");
  if (file)
    command.option(
      "-o, --output <path>",
      "write it to this file, as docker save does; json or text: how to print the result",
      gather,
    );
  else command.addOption(outputFlag());
  return command
    .option(
      "-j, --jobs <count>",
      "bodies in flight at the same time (default 4 large ones, or up to 32 small ones)",
      positive,
    )
    .option("--dry-run", "say what would be done, and do nothing");
};

/** What was said by `-o`: crane's is a file, every other command's here a format. */
export const outputOf = ({
  output = [],
}: ChangingOptions): { readonly format: "text" | "json"; readonly file: string | undefined } => {
  const said = typeof output === "string" ? [output] : output;
  const isFormat = (word: string): word is "text" | "json" => word === "json" || word === "text";
  const files = said.filter((word) => !isFormat(word));
  if (files.length > 1) throw new DrayError("USAGE", `-o: ${files.join(" and ")} are two files; name one of them`);
  if (files[0] === "") throw new DrayError("USAGE", "-o: the name of the file is empty");
  return { format: said.findLast(isFormat) ?? "text", file: files[0] };
};

/** An image that is about to change, and where what becomes of it goes. */
export interface Changing {
  readonly source: Located<ReadableStore>;
  readonly view: Image | ImageIndex;
  /** Where new layers are put before it is named. */
  readonly bench: () => Promise<Bench>;
}

/** How it differs from what most commands do. */
export interface ChangeImageOptions {
  /** Where it goes. Default: as `--tag` says. */
  readonly tag?: string | undefined;
  /** What changes, where that is not what is named. */
  readonly from?: Located<ReadableStore>;
  /** What is printed of where it went: the reference by digest, or by the name that it has now. Default `digest`. */
  readonly print?: "digest" | "name";
}

/**
 * Changes an image as `make` says (one that is named, or `from`), and puts what becomes of it where the flags say. Prints what crane prints: the reference by digest.
 * @throws DrayError `USAGE` for places that make no sense, and what `make` and copying throw
 */
export const changeImage = async (
  call: Call<ChangingOptions>,
  image: string,
  make: (changing: Changing) => Promise<Edited>,
  { tag = call.options.tag, from, print = "digest" }: ChangeImageOptions = {},
): Promise<void> => {
  const { signal, reporter, out } = call;
  const options = defined<ChangingOptions>({ ...call.options, tag });
  const began = performance.now();
  const { file, format } = outputOf(options);
  const place = placeOf(options, image);
  const source = from ?? (await opened(call, image));
  const found = await source.store.resolve(source.name, { signal, toRead: true });
  const view = await calling(image, () => viewOf(source.store, found, { signal }));
  const target = await targetOf(call, source, place);
  // Layers that went to the target while they were made were moved, too.
  const sent = { copied: 0, bytes: 0 };
  const bench = (): Promise<Bench> =>
    benchFor(call, target, ({ size }) => {
      sent.copied++;
      sent.bytes += size;
    });
  const { store, root, leftOut } = await make({ source, view, bench }).catch(async (error: unknown) => {
    // What nobody named is not where the fault is.
    throw from === undefined ? await typedAs(error, image, view) : error;
  });
  if (leftOut.length > 0)
    reporter.warn(
      `${plural(leftOut.length, leftOut.every(isAttestation) ? "attestation" : "artifact")} of what changed ${leftOut.length === 1 ? "is" : "are"} left out: they were about what is there no more`,
    );
  if (options.compression === "zstd" && file === undefined && (await isOfDocker(await viewOf(store, root, { signal }))))
    reporter.warn(
      `podman and skopeo refuse layers of zstd in a manifest of Docker's types; dray mutate --media-types oci ${place.location} gives it OCI's`,
    );
  const moving: Call<MovingOptions> = { ...call, options: { ...options, output: format } };
  // By digest: only now is it known which.
  const name = place.byDigest ? root.digest : target.name;
  const made = { store, name: root.digest, location: image };
  const isOneOfMany = file !== undefined && isIndexType(root.mediaType);
  const said = isOneOfMany ? onePlatform(options) : undefined;
  if (isOneOfMany && said === undefined)
    reporter.note(
      `${file} has one image alone, as docker loads them: ${defaultPlatform.os}/${defaultPlatform.architecture} of the index`,
    );
  const moved = await moveAll(
    moving,
    [{ source: made, target: { ...target, name, location: saidOf(target, place) } }],
    {
      platforms: isOneOfMany ? [said ?? defaultPlatform] : [],
      foreignLayers: "if-there",
    },
  );
  const result = { ...moved, copied: moved.copied + sent.copied, bytes: moved.bytes + sent.bytes };
  if (format === "text" && file === undefined && options.dryRun !== true)
    await printRoot(out, place, result.outcomes[0], print);
  const isPushed = file === undefined && parseLocation(place.location).kind === "registry";
  await reportMoved(moving, result, isPushed ? "pushed" : "saved", began);
};

/** Where it went, in words: what was named by a digest is another image. */
const saidOf = ({ location }: Located<WritableStore>, { byDigest, location: text }: Place): string => {
  const parsed = parseLocation(text, { defaultTag: "" });
  if (!byDigest || parsed.kind !== "registry" || parsed.reference.digest === undefined) return location;
  const { registry, repository } = parsed.reference;
  return formatReference({ registry, repository });
};

const isAttestation = ({ annotations }: Descriptor): boolean =>
  annotations?.[annotationKeys.attestationDigest] !== undefined;

/** Whether an image has Docker's types, or any of an index. */
const isOfDocker = async (view: Image | ImageIndex): Promise<boolean> =>
  view.kind === "image"
    ? view.descriptor.mediaType === mediaTypes.dockerManifest
    : (await view.index()).manifests.some(({ mediaType }) => mediaType === mediaTypes.dockerManifest);

const printRoot = async (
  out: Call["out"],
  { location, byDigest }: Place,
  outcome: MovedRoot | undefined,
  print: "digest" | "name",
): Promise<void> => {
  if (outcome?.root === undefined) return;
  const parsed = parseLocation(location);
  if (parsed.kind !== "registry") await out.line(outcome.root.digest);
  else if (print === "name" && !byDigest) await out.line(formatReference(parsed.reference));
  else await out.line(digestReference(parsed.reference, outcome.root));
};

interface Place {
  /** Where it goes, in words. */
  readonly location: string;
  /** Whether it gets no name. */
  readonly byDigest: boolean;
  /** An archive for docker. */
  readonly file: string | undefined;
}

/** Where it goes, by the flags: never where a digest says that something else is. */
const placeOf = (options: ChangingOptions, image: string): Place => {
  const { tag, repo } = options;
  const { file } = outputOf(options);
  if (tag !== undefined && repo !== undefined)
    throw new DrayError(
      "USAGE",
      "--repo: a repository cannot be named when --tag names an image; leave one of them out",
    );
  if (tag === "" || repo === "")
    throw new DrayError("USAGE", `${tag === "" ? "--tag" : "--repo"} is empty; name a place, or leave it out`);
  const location = repo ?? tag ?? image;
  const parsed = parseLocation(location, repo === undefined ? {} : { defaultTag: "" });
  if (parsed.kind === "registry") {
    const { reference } = parsed;
    if (repo !== undefined && (reference.tag !== undefined || reference.digest !== undefined))
      throw new DrayError(
        "REFERENCE_INVALID",
        `--repo: "${repo}" names an image; name its repository alone, or say --tag`,
      );
    return { location, byDigest: repo !== undefined || reference.digest !== undefined, file };
  }
  if (repo !== undefined) throw new DrayError("USAGE", `--repo: "${repo}" is no repository on a registry; say --tag`);
  if (tag === undefined && file === undefined && parsed.kind !== "oci")
    throw new DrayError("USAGE", `${image} is not changed where it lies; say with --tag where the changed image goes`);
  return { location, byDigest: false, file };
};

const targetOf = async (
  call: Call<ChangingOptions>,
  source: Located<ReadableStore>,
  { location, file }: Place,
): Promise<Located<WritableStore>> => {
  if (file !== undefined) {
    const parsed = parseLocation(location);
    const name = parsed.kind === "registry" ? formatReference(parsed.reference) : "";
    return { store: dockerArchive(file, { output: call.stdout }), name, location: file };
  }
  if (location === source.location) return source as Located<ReadableStore & WritableStore>;
  await warnOfLocal(call, location);
  const { connect, engine } = await registriesFor(call);
  const target = await open(location, { connect, engine });
  // The same place is the same store: what lies there need not be asked for.
  return samePlace(location, source.location)
    ? { ...target, store: source.store as ReadableStore & WritableStore }
    : target;
};

const samePlace = (one: string, other: string): boolean => {
  const [a, b] = [parseLocation(one), parseLocation(other)];
  if (a.kind === "registry")
    return (
      b.kind === "registry" &&
      a.reference.registry === b.reference.registry &&
      a.reference.repository === b.reference.repository
    );
  return a.kind === "oci" && b.kind === "oci" && a.path === b.path;
};
