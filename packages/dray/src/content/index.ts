/**
 * Bytes named by digest, stores that hold some of them, and `copy`, which moves what is missing from one to another.
 * Imports the words of `oci/` and the digests of `hash/`; knows no registry, no file, no HTTP.
 */
export * from "./attached.ts";
export * from "./bytes.ts";
export * from "./copy.ts";
export { decompressed, sniffCompression } from "./decompress.ts";
export * from "./events.ts";
export * from "./hand-over.ts";
export * from "./manifest.ts";
export * from "./memory.ts";
export { meteredContent } from "./meter.ts";
export * from "./overlay.ts";
export * from "./select.ts";
export { Semaphore } from "./slots.ts";
export * from "./store.ts";
export { unlessAborted } from "./unless-aborted.ts";
export * from "./verify.ts";
