/**
 * Layers of which single files can be read, by a table of contents that says where they lie: eStargz, written and read, and zstd:chunked.
 * Imports `compression/`, `tar/` and what they stand on; knows no image, no registry and no file.
 */
export { type Estargz, type EstargzFacts, type EstargzOptions, estargz } from "./estargz.ts";
export { openSeekable } from "./open-seekable.ts";
export { rangesOf } from "./ranges.ts";
