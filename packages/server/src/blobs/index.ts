/**
 * Blobs as a registry serves them: there, and what their names say; and which of them a manifest cannot do without. May import the
 * tree, what is known of it, and storage; never knows HTTP, nor who asks.
 */
export { Blobs, type FoundBlob, quarantine } from "./blobs.ts";
export {
  type CompleteIndexes,
  type Completeness,
  distinct,
  isPulledAsManifest,
  missingOf,
  neededOf,
} from "./completeness.ts";
export { hashFile } from "./hash-file.ts";
