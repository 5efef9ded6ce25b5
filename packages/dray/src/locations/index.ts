/**
 * Locations in words, such as `oci:./mirror:alpine`, and what they open: a row of a table for each kind of place.
 * Imports everything below; knows what each store is called, which nobody below does.
 */
export { isStandardStream, type OpenOptions, open, parseLocation } from "./open.ts";
export type { MemoryLocation, ParsedLocation, PathLocation, RegistryLocation } from "./table.ts";
