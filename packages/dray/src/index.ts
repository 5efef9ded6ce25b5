/**
 * Dray moves container images: one `copy` between registries, layouts and archives, and views over what lies there.
 * Everything public is here; each concept also has a path of its own, such as `dray/oci` and `dray/registry`.
 */
export * from "./archive/index.ts";
export * from "./auth/index.ts";
export * from "./content/index.ts";
export * from "./copy/index.ts";
export * from "./errors.ts";
export * from "./http/index.ts";
export * from "./image/index.ts";
export * from "./layout/index.ts";
export * from "./locations/index.ts";
export * from "./oci/index.ts";
export * from "./registry/index.ts";
