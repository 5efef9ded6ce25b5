/** A registry in memory behind the distribution API, as a `Handler`. */
export type { RegistryAccess } from "./access.ts";
export { type GoogleOptions, googleListing } from "./google.ts";
export { type MemoryRegistry, memoryRegistry } from "./memory-registry.ts";
export type { MemoryRegistryOptions } from "./options.ts";
