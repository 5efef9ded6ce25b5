import { DrayError } from "../../errors.ts";
import { isLayerType } from "../../oci/index.ts";
import type { Change, ImageChange } from "../edit.ts";
import type { Image } from "../views.ts";
import { ofImages } from "./of-images.ts";
import { type Step, stepsOf } from "./steps.ts";

/** A change to the steps of what runs, and has layers of files alone. What an index names besides stays; in view it is refused. */
export const ofLayers = (
  change: (steps: readonly Step[], image: Image) => ImageChange | undefined | Promise<ImageChange | undefined>,
): Change =>
  ofImages(async (image, { depth }) => {
    const { layers } = await image.manifest();
    const other = layers.find(({ mediaType }) => !isLayerType(mediaType));
    if (other === undefined) return change(await stepsOf(image), image);
    if (depth > 0) return undefined;
    throw new DrayError(
      "UNSUPPORTED",
      `${image.descriptor.digest} has a layer of type "${other.mediaType}", which is none of files; it can be copied as it is`,
      { reference: image.descriptor.digest },
    );
  });
