import { DrayError, printable } from "dray/errors";
import { formatPlatform, parseManifest } from "dray/oci";
import type { Act, Define } from "../context.ts";
import { type ListingOptions, outputFlag } from "../flags.ts";
import { manifestOf, openedToRead } from "../images.ts";
import { printResult } from "../json.ts";

export const define: Define = (command) =>
  command.argument("<index>", "a reference, or a location such as oci:DIR:NAME").addOption(outputFlag());

export const examples: readonly string[] = ["dray index list alpine:3.20"];

/** A table, as crane prints it. */
export const act: Act<ListingOptions> = async (call, [name = ""]) => {
  const located = await openedToRead(call, name);
  const { descriptor, bytes } = await manifestOf(call, located);
  const parsed = parseManifest(bytes, descriptor.mediaType);
  if (parsed.kind !== "index")
    throw new DrayError("UNSUPPORTED", `${name} is one image, and no index; dray inspect ${name} shows it`, {
      reference: name,
    });
  const { manifests } = parsed.index;
  const row = (digest: string, mediaType: string, platform: string): string =>
    printable(`${digest.padEnd(70)} ${mediaType.padEnd(20)} ${platform}`);
  await printResult(
    call,
    {
      reference: name,
      digest: descriptor.digest,
      mediaType: descriptor.mediaType,
      manifests: manifests.map(({ digest, mediaType, size, platform, annotations, artifactType }) => ({
        digest,
        mediaType,
        size,
        platform: platform && formatPlatform(platform),
        artifactType,
        annotations,
      })),
    },
    [
      row("Digest", "MediaType", "Platform"),
      ...manifests.map(({ digest, mediaType, platform }) =>
        row(digest, mediaType, platform ? formatPlatform(platform) : "-"),
      ),
    ],
  );
};
