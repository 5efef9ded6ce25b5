/**
 * Taking manifests, tags and blobs out of repositories: the one guarded way for clients, and the steps that garbage collection shares.
 * Imports `tree/`, `holds/` and the shape of the index; knows no request.
 */
export { createRemovals, type Removals, type RemovalsOptions } from "./deletion.ts";
export { type DeletionContext, unlinkLayer, unlinkManifest } from "./unlink.ts";
