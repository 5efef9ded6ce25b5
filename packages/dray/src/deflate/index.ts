/**
 * DEFLATE whose result is the same everywhere: an encoder of our own in WebAssembly, on this thread or on others.
 * An inflater of our own, `block-inflater.ts`, tells where blocks begin, to the bit: for who wants to read a layer from its midst.
 * Imports `threads/` and the errors; knows no gzip, no layer and no store. The encoder's source is `packages/dray/assembly`, and
 * `encoder.wasm.ts` what `npm run assembly` makes of it.
 */
export { BlockInflater } from "./block-inflater.ts";
export { deflateFormat, segmentBlocks, segmentSize } from "./format.ts";
export { deflateSegment, partsOf, type Segment, threadsThatDeflate } from "./segments.ts";
