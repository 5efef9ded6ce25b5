/**
 * Bytes named by digest, the stores that hold some of them, and what can be asked of a store.
 * Imports the words of `oci/` and the digests of `hash/`; knows no registry, no file, no HTTP.
 */
export * from "./attached.ts";
export * from "./bytes.ts";
export * from "./capabilities.ts";
export * from "./edit-json.ts";
export * from "./events.ts";
export * from "./manifest.ts";
export * from "./memory.ts";
export { meteredContent } from "./meter.ts";
export * from "./overlay.ts";
export { passedOver } from "./passed-over.ts";
export * from "./put.ts";
export { readAhead } from "./read-ahead.ts";
export * from "./select.ts";
export * from "./store.ts";
export * from "./transferable.ts";
export * from "./verify.ts";
export * from "./walk.ts";
