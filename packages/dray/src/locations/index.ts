/**
 * Locations in words, such as `oci:./mirror:alpine`, and what they open: a row of a table for each kind of place.
 * Imports everything below; knows what each store is called, which nobody below does.
 */
export { type FileLocation, parseFileLocation } from "./file-location.ts";
export { isStandardStream, type Opened, type OpenOptions, open, openRepository, parseLocation } from "./open.ts";
export { type OpenImageOptions, openImage } from "./open-image.ts";
export type { EngineLocation, MemoryLocation, ParsedLocation, PathLocation, RegistryLocation } from "./table.ts";
