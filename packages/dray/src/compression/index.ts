/**
 * gzip and zstd of layers: compressed on the way out, decompressed and hashed on the way in, on other threads where that helps.
 * Imports `oci/`, `hash/`, `content/` and `deflate/`; knows no image, no store and no file.
 */
export { compressed, highestLevel } from "./compressed.ts";
export { decompressed, peeked, sniffCompression } from "./decompress.ts";
export { defaultLevel, gzip } from "./gzip.ts";
export { layerDigests } from "./layer-digests.ts";
