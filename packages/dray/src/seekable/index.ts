/**
 * Layers that can be read in parts: eStargz, whose single files lie by themselves and are named in a table at the end.
 * Imports `compression/`, `tar/` and what they stand on; knows no image, no registry and no file.
 */
export { type Estargz, type EstargzFacts, type EstargzOptions, estargz } from "./estargz.ts";
