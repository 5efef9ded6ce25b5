import { DrayError, errorIn, isDrayError } from "dray/errors";
import { edit, type LayerChoice, squashed, withoutLayers } from "dray/image";
import { defined } from "dray/internal/defined";
import {
  type ChangingOptions,
  type CompressionOptions,
  changeImage,
  changingFlags,
  compressionFlags,
  layerNumber,
  refuseLevel,
  stringSlice,
} from "../changing/index.ts";
import type { Act, Define } from "../context.ts";

interface SquashOptions extends ChangingOptions, CompressionOptions {
  readonly from?: number;
  readonly to?: number;
  readonly drop?: readonly string[];
}

export const define: Define = (command) =>
  changingFlags(
    compressionFlags(
      command
        .argument("<image>", "a reference, or a location such as oci:DIR:NAME")
        .option(
          "--from <layer>",
          "the lowest layer that is squashed: 1 is the lowest of all, -1 the uppermost (default 1)",
          layerNumber,
        )
        .option("--to <layer>", "the uppermost (default -1)", layerNumber)
        .option("--drop <layers>", "take these away instead, by number, digest or diffID, with commas", stringSlice),
      "gzip",
    ),
  ).addHelpText(
    "after",
    "\nWhat squashed layers take away from those below stays away.\nOf an index every image is squashed, or those that --platform names.",
  );

export const examples: readonly string[] = [
  "dray squash --from -3 registry.example.com/team/app:1.0",
  "dray squash --drop -1 -t ghcr.io/a/app:without ghcr.io/a/app:1.0",
];

export const act: Act<SquashOptions> = async (call, [image = ""]) => {
  const { options, signal, reporter } = call;
  const { from, to, drop, compression, level, platform: platforms } = options;
  if (drop !== undefined && (from ?? to ?? compression ?? level) !== undefined)
    throw new DrayError("USAGE", "--drop: nothing is squashed or compressed where layers are taken away");
  refuseLevel({ compression, level });
  await changeImage(call, image, async ({ view, bench }) => {
    if (drop !== undefined) return edit(view, withoutLayers(drop.map(choiceOf)), { platforms, signal });
    const how = { compression, level, signal, onEvent: reporter.onEvent };
    return edit(view, squashed(await bench(), defined({ from, to }), how), { platforms, signal }).catch(
      (error: unknown) => {
        throw isDrayError(error, "USAGE") ? errorIn("--from, --to", error) : error;
      },
    );
  });
};

const choiceOf = (text: string): LayerChoice => (/^-?\d+$/.test(text) ? Number(text) : text);
