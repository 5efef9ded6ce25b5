import { composesManifests } from "dray/content";
import { DrayError } from "dray/errors";
import { defined } from "dray/internal/defined";
import type { Act, Call, Define } from "../context.ts";
import { wantsEstargz } from "../estargz.ts";
import type { SharedOptions } from "../flags.ts";
import { digestReference, openedToRead, referenceOf, rootOf } from "../images.ts";

interface DigestOptions extends SharedOptions {
  readonly tarball?: string;
  readonly fullRef?: boolean;
}

export const define: Define = (command) =>
  command
    .argument("[image]", "a reference, or a location such as oci:DIR:NAME; with --tarball a name in the file")
    .option(
      "--tarball <file>",
      "look in this archive, as docker save writes it, or an OCI archive: what push would print",
    )
    .option("--full-ref", "print the whole reference by digest");

export const examples: readonly string[] = [
  "dray digest alpine:3.20",
  "dray digest --full-ref --platform linux/arm64 alpine:3.20",
  "dray digest --tarball image.tar",
];

export const act: Act<DigestOptions> = async (call, [image]) => {
  const { tarball, fullRef } = call.options;
  if (tarball !== undefined && fullRef === true)
    throw new DrayError("USAGE", "cannot specify --full-ref with --tarball");
  const located = await locatedFor(call, tarball, image);
  const found = await rootOf(call, located);
  const root = composesManifests(located.store)
    ? // A layer that is not compressed gets its digest by being compressed: loaded where there may be one.
      await (await import("dray/image")).pushedRoot(
        located.store,
        found,
        defined({ signal: call.signal, estargz: wantsEstargz(call.env) ? {} : undefined }),
      )
    : found;
  await call.out.line(fullRef === true ? digestReference(referenceOf(located.location), root) : root.digest);
};

const locatedFor = async (call: Call<DigestOptions>, tarball: string | undefined, image: string | undefined) => {
  const { stdin, signal } = call;
  // Most digests are asked of registries, and what reads archives takes a while to load.
  if (tarball !== undefined)
    return (await import("../detect.ts")).archiveAt(tarball, defined({ name: image, stdin, signal }));
  if (image === undefined) throw new DrayError("USAGE", "image reference required without --tarball");
  return openedToRead(call, image);
};
