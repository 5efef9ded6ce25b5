/**
 * Blobs as a registry serves them: there, and what their names say. May import the tree, what is known of it, and storage; never
 * knows HTTP, nor who asks.
 */
export { Blobs, type FoundBlob } from "./blobs.ts";
export { hashFile } from "./hash-file.ts";
