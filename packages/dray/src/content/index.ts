/**
 * Bytes named by digest, stores that hold some of them, and `copy`, which moves what is missing from one to another.
 * Imports the words of `oci/`; knows no registry, no file, no HTTP.
 */
export * from "./bytes.ts";
export * from "./events.ts";
export * from "./store.ts";
