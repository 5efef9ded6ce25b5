/**
 * The words of the field: references, digests, descriptors, manifests, platforms, media types, annotations.
 * Pure functions over plain data. Imports only the errors; knows no store, no network, no file.
 */
export * from "./annotations.ts";
export * from "./descriptor.ts";
export * from "./digest.ts";
export { encodeJson, isObject, largestManifest, type Parsed, parseJson } from "./json.ts";
export * from "./manifest.ts";
export * from "./media-types.ts";
export * from "./pack.ts";
export * from "./platform.ts";
export * from "./reference.ts";
