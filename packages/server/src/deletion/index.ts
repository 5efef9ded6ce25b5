/**
 * Taking manifests, tags and blobs out of repositories: the one guarded way for clients, the steps that garbage collection shares, and
 * the way back. Imports `distribution-tree/`, `leases/` and `metadata/`; knows no request.
 */
export { Deletions, type DeletionsOptions } from "./deletion.ts";
export type { FormerTag } from "./former-tags.ts";
export { renewAll } from "./renew.ts";
export { type RestoreContext, type Restored, type RestoreOptions, restore } from "./restore.ts";
export { type DeletionContext, hasTagsNamedAfter, unlinkLayer, unlinkManifest, unlinkTag } from "./unlink.ts";
