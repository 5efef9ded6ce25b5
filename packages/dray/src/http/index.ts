/**
 * HTTP for registries: one pipeline of small middlewares over `node:http`.
 * Imports `oci/` and `content/`; knows no registry API and no credential file.
 */
export * from "./types.ts";
