/**
 * Bytes named by digest, stores that hold some of them, and `copy`, which moves what is missing from one to another.
 * Imports the words of `oci/` and the digests of `hash/`; knows no registry, no file, no HTTP.
 */
export * from "./attached.ts";
export * from "./bytes.ts";
export * from "./copy.ts";
export * from "./events.ts";
export * from "./manifest.ts";
export * from "./memory.ts";
export { meteredContent } from "./meter.ts";
export * from "./overlay.ts";
export * from "./select.ts";
export * from "./store.ts";
export * from "./transferable.ts";
export * from "./verify.ts";
