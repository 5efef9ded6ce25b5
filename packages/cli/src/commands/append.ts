import { Option } from "commander";
import { type Located, type ReadableStore, selectPlatforms } from "dray/content";
import { DrayError } from "dray/errors";
import { appended, edit, emptyImage, viewOf } from "dray/image";
import { defined } from "dray/internal/defined";
import { parseLocation } from "dray/locations";
import { type Compression, formatReference } from "dray/oci";
import {
  additionsFor,
  type ChangingOptions,
  changeImage,
  compressionFlags,
  ownerOf,
  refuseLevel,
  stringSlice,
} from "../changing/index.ts";
import type { Act, Define } from "../context.ts";
import { gather } from "../flags.ts";

interface AppendOptions extends ChangingOptions {
  readonly base?: string;
  readonly new_layer?: readonly string[];
  readonly new_tag?: string;
  readonly setBaseImageAnnotations?: boolean;
  readonly ociEmptyBase?: boolean;
  readonly compression?: Compression;
  readonly level?: number;
  readonly prefix?: string;
  readonly owner?: { readonly uid: number; readonly gid: number };
  readonly createdBy?: string;
}

export const define: Define = (command) =>
  compressionFlags(
    command
      .option("-b, --base <location>", "image or index to append to (default: an empty image)")
      .addOption(
        new Option(
          "-f, --new_layer <path>",
          "tar, compressed tar or directory to append; - is stdin; again or with commas for several",
        ).argParser(stringSlice),
      )
      .option("-t, --new_tag <location>", "where the result goes: a reference, or a location such as oci:DIR:NAME")
      .option(
        "-o, --output <path>",
        "write it to this file, as docker save does; json or text: how to print the result",
        gather,
      )
      .option("--set-base-image-annotations", "annotate the result with the base that it has")
      .option("--oci-empty-base", "without --base: OCI media types in place of Docker's"),
    "gzip; what is compressed stays as it is",
  )
    .option("--prefix <path>", "where in the image a directory comes to lie (default /)")
    .option("--owner <uid:gid>", "who owns what lies in a directory (default 0:0)", ownerOf)
    .option("--created-by <text>", "what the history says of each layer")
    .option("--dry-run", "say what would be done, and do nothing")
    .addHelpText("after", "\nOf an index each image gets the layers; with --platform the result has those alone.");

export const examples: readonly string[] = [
  "dray append -b alpine:3.20 -f app.tar -t registry.example.com/team/app:1.0",
  "dray append -b alpine:3.20 -f ./public --prefix srv/www -t ghcr.io/acme/www:1",
  "tar c bin | dray append -f - -t registry.example.com/team/tools:1.0",
];

export const act: Act<AppendOptions> = async (call) => {
  const { options, signal, reporter } = call;
  const {
    base = "",
    new_layer: paths = [],
    new_tag: tag = "",
    setBaseImageAnnotations = false,
    platform = [],
  } = options;
  if (tag === "") throw new DrayError("USAGE", "-t: say what the result is called: dray append -f FILE -t IMAGE");
  if (paths.length === 0) throw new DrayError("USAGE", "-f: say what is appended: dray append -f FILE -t IMAGE");
  if (base !== "" && options.ociEmptyBase === true)
    throw new DrayError("USAGE", "--oci-empty-base: there is a --base, which has media types of its own");
  refuseLevel(options);
  const from = base === "" ? await withoutBase(options) : undefined;
  const baseName = setBaseImageAnnotations && base !== "" ? nameOf(base) : undefined;
  await changeImage(
    call,
    from === undefined ? base : paths.join(" and "),
    async ({ source, view, bench }) => {
      // What the base is, is chosen here: the others would be in the new index without what is appended.
      const { store, root } = await selectPlatforms(source.store, view.descriptor, platform, { signal, called: base });
      const { compression, level, createdBy, prefix, owner } = options;
      const wanted = { paths, compression, level, createdBy, prefix, owner };
      const additions = additionsFor(call, await bench(), "append", wanted);
      return edit(await viewOf(store, root, { signal }), appended(additions, { baseName }), { signal });
    },
    defined({ tag, from }),
  );
  if (base === "") reporter.note("no --base is named: the layers are all that the image has");
};

const withoutBase = async ({ ociEmptyBase }: AppendOptions): Promise<Located<ReadableStore>> => {
  const { store, descriptor } = await emptyImage({ form: ociEmptyBase === true ? "oci" : "docker" });
  return { store, name: descriptor.digest, location: "memory:empty" };
};

/** How the base is called in annotations: whole, where it is a tag on a registry, and by its digest alone elsewhere. */
const nameOf = (base: string): string => {
  const location = parseLocation(base);
  return location.kind === "registry" && location.reference.digest === undefined
    ? formatReference(location.reference)
    : "";
};
