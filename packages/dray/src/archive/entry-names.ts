import { compressionOf, type Descriptor, hexOf, isConfigType } from "../oci/index.ts";

/** File of a config: its digest, colon and all. */
export const configName = ({ digest }: Descriptor): string => digest;

/**
 * File of a layer: its digest without the colon, which old tars take for a host, and what tools expect of a compressed file.
 * What is no layer by its type is called like a gzip one, as it always was.
 */
export const layerName = ({ digest, mediaType }: Descriptor): string => {
  const compression = compressionOf(mediaType);
  return `${hexOf(digest)}${compression === "zstd" ? ".tar.zst" : compression === "none" ? ".tar" : ".tar.gz"}`;
};

/** File of content before any manifest has said what it is. */
export const likelyName = (descriptor: Descriptor): string =>
  isConfigType(descriptor.mediaType) ? configName(descriptor) : layerName(descriptor);
