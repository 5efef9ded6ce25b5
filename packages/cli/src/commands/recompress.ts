import { DrayError } from "dray/errors";
import { edit, recompressed, timed } from "dray/image";
import {
  type ChangingOptions,
  type CompressionOptions,
  changeImage,
  changingFlags,
  compressionFlags,
  refuseLevel,
} from "../changing/index.ts";
import type { Act, Define } from "../context.ts";
import { moment } from "../flags.ts";

interface RecompressOptions extends ChangingOptions, CompressionOptions {
  readonly estargz?: boolean;
  readonly time?: string;
  readonly canonical?: boolean;
}

export const define: Define = (command) =>
  changingFlags(
    compressionFlags(command.argument("<image>", "a reference, or a location such as oci:DIR:NAME"), "gzip")
      .option("--estargz", "make eStargz of every layer: gzip of which single files can be read")
      .option(
        "--time <time>",
        "give everything in it one time, such as 2026-01-31T12:00:00Z: layers are written anew",
        moment,
      )
      .option(
        "--canonical",
        "as --time, 1970 where none is said, and take away what says on which machine it was built",
      ),
  ).addHelpText(
    "after",
    "\nLayers that are compressed in the wanted way stay, unless a level is said.\nOf an index every image is changed, or those that --platform names.",
  );

export const examples: readonly string[] = [
  "dray recompress --compression zstd --level 9 -t ghcr.io/a/app:zstd app:1.0",
  "dray recompress --canonical --compression gzip ghcr.io/team/app:1.0",
];

export const act: Act<RecompressOptions> = async (call, [image = ""]) => {
  const { options, signal, reporter } = call;
  const { compression, level, estargz = false, time, canonical = false, platform: platforms } = options;
  const isTimed = time !== undefined || canonical;
  if (estargz && (isTimed || (compression ?? "gzip") !== "gzip"))
    throw new DrayError(
      "USAGE",
      "--estargz: that is gzip of files as they are; leave out --compression, --time and --canonical",
    );
  // Where none is said, each layer stays compressed as it is.
  refuseLevel({ compression: isTimed && compression === undefined ? "zstd" : compression, level });
  await changeImage(call, image, async ({ view, bench }) => {
    const place = await bench();
    const how = { compression, level, signal, onEvent: reporter.onEvent };
    const change = isTimed
      ? timed(place, { ...how, time, canonical })
      : recompressed(place, { ...how, ...(estargz ? { estargz: {} } : {}) });
    return edit(view, change, { platforms, signal });
  });
};
