/**
 * Who we are: keychains that find a credential, challenges, and the tokens they are exchanged for.
 * Imports `oci/`, `content/` and the types of `http/`; knows no registry API beyond its challenges.
 */
export * from "./types.ts";
