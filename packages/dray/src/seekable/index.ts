/**
 * Layers of which single files can be read, by a table of contents that says where they lie: eStargz, written and read, and zstd:chunked.
 * Imports `compression/`, `tar/` and what they stand on; knows no image, no registry and no file.
 */
export { type Estargz, type EstargzFacts, type EstargzOptions, estargz } from "./estargz.ts";
export { drawn } from "./gunzip.ts";
export { hasTable, openSeekable } from "./open-seekable.ts";
export { type Ranges, rangesOf } from "./ranges.ts";
export type { SeekableLayer } from "./seekable-layer.ts";
