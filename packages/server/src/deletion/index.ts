/**
 * Taking manifests, tags and blobs out of repositories: the one guarded way for clients, and the steps that garbage collection shares.
 * Imports `distribution-tree/` and `metadata/`; knows no request.
 */
export { Deletions, type DeletionsOptions } from "./deletion.ts";
export { type DeletionContext, unlinkLayer, unlinkManifest } from "./unlink.ts";
