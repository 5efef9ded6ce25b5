import { compressionOf, isIndexType, isLayerType, isManifestType, mediaTypes } from "dray/oci";

/** What a media type stands for, in a word. */
export const kindOf = (mediaType: string): string => {
  if (isIndexType(mediaType)) return "index";
  if (isManifestType(mediaType)) return "image";
  if (mediaType === mediaTypes.ociEmpty) return "nothing";
  return isLayerType(mediaType) ? `layer (${compressionOf(mediaType)})` : "something else";
};
