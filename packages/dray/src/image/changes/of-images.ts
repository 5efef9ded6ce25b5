import { DrayError } from "../../errors.ts";
import { annotationKeys, type Descriptor, isConfigType } from "../../oci/index.ts";
import type { Change, ImageChange, Place } from "../edit.ts";
import type { Image } from "../views.ts";

/** Whether an entry of an index is what a builder says about another one. */
export const isAttestation = ({ annotations }: Descriptor): boolean =>
  annotations?.[annotationKeys.attestationType] !== undefined;

/** Whether it has a configuration by which it runs: neither an artifact nor an attestation, which borrows an image's media types. */
export const isRunnable = async (image: Image): Promise<boolean> =>
  isConfigType((await image.manifest()).config.mediaType) && !isAttestation(image.descriptor);

/** A change to what runs. Artifacts and attestations beside it in an index stay; one in view is refused. */
export const ofImages = (
  change: (image: Image, place: Place) => ImageChange | undefined | Promise<ImageChange | undefined>,
): Change => ({
  image: async (image, place) => {
    if (await isRunnable(image)) return change(image, place);
    if (place.depth > 0) return undefined;
    const { config, artifactType } = await image.manifest();
    throw new DrayError(
      "UNSUPPORTED",
      `${image.descriptor.digest} is an artifact (${artifactType ?? config.mediaType}), which has no configuration of an image to change; its annotations can be, and its subject`,
      { reference: image.descriptor.digest },
    );
  },
});
