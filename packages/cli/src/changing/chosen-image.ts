import { DrayError } from "dray/errors";
import type { Image, ImageIndex } from "dray/image";
import { annotationKeys, formatPlatform } from "dray/oci";
import type { Call } from "../context.ts";
import { onePlatform } from "../flags.ts";

/**
 * The one image that is meant, where a document of one is changed: the only one of an index, or that of the platform that the flags name.
 * @throws DrayError `USAGE` naming those that it may be
 */
export const chosenImage = async ({ options }: Call, view: Image | ImageIndex, location: string): Promise<Image> => {
  if (view.kind === "image") return view;
  const platform = onePlatform(options);
  if (platform !== undefined) return view.image(platform);
  const { manifests } = await view.index();
  const images = manifests.filter(({ annotations }) => annotations?.[annotationKeys.attestationType] === undefined);
  const [only] = images;
  const child = images.length === 1 && only !== undefined ? await view.child(only.digest) : undefined;
  if (child?.kind === "image") return child;
  const there = images.flatMap((entry) => (entry.platform === undefined ? [] : [formatPlatform(entry.platform)]));
  throw new DrayError(
    "USAGE",
    `${location} is an index of several images; name one with --platform${there.length === 0 ? "" : `: ${there.join(", ")}`}`,
    { reference: location },
  );
};
