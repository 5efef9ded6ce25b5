import { DrayError } from "dray/errors";
import { parseLocation } from "dray/locations";
import { canonical, type Digest, formatReference } from "dray/oci";
import type { Act, Define } from "../context.ts";
import { type ListingOptions, onePlatform, outputFlag } from "../flags.ts";
import { openedToRead } from "../images.ts";
import { drawPage, inspect } from "../inspect/index.ts";
import { printResult } from "../json.ts";

export const define: Define = (command) =>
  command.argument("<image>", "a reference, or a location such as oci:DIR:NAME").addOption(outputFlag());

export const examples: readonly string[] = [
  "dray inspect alpine:3.20",
  "dray inspect --platform linux/arm64 -o json alpine:3.20 | jq .image.labels",
  "dray inspect docker-archive:image.tar",
];

/** Nothing of a layer is read. What could not be read is told at the end, and the rest shown. */
export const act: Act<ListingOptions> = async (call, [image = ""]) => {
  const { options, signal, stdout } = call;
  const place = parseLocation(image);
  const names = (digest: string): string[] | undefined => {
    if (place.kind !== "registry") return undefined;
    const { reference } = place;
    return [...new Set([formatReference(reference), canonical({ ...reference, digest: digest as Digest })])];
  };
  const located = await openedToRead(call, image);
  const { inspected, faults } = await inspect(located, { platform: onePlatform(options), signal, names });
  await printResult(call, { reference: image, ...inspected }, drawPage(inspected, stdout));
  const [first] = faults;
  if (first === undefined) return;
  const others = faults.length === 1 ? "" : `, and ${faults.length - 1} more of it`;
  throw new DrayError("PARTIAL", `not all of ${image} could be read: ${first.message}${others}`, { reference: image });
};
