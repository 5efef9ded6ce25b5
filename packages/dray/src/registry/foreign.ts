import { type Descriptor, isForeignLayerType } from "../oci/index.ts";
import type { Settings } from "./api.ts";

/**
 * Where the bytes of a foreign layer lie, if its registry does not have them: Windows base layers stayed with their maker by
 * licence. Only followed with leave: a manifest from anywhere would otherwise choose whom we speak to.
 * @see https://github.com/opencontainers/image-spec/blob/main/descriptor.md#properties
 */
export const foreignUrls = ({ mediaType, urls }: Descriptor, { foreignLayers, plainHttp }: Settings): URL[] => {
  if (foreignLayers !== true || !isForeignLayerType(mediaType)) return [];
  return (urls ?? [])
    .filter((url) => URL.canParse(url))
    .map((url) => new URL(url))
    .filter(({ protocol }) => protocol === "https:" || (protocol === "http:" && plainHttp === true));
};
