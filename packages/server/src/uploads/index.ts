/**
 * Upload sessions: what was received of blobs that are not whole yet.
 * Imports `storage/` and the paths of `distribution-tree/`; knows no request, no manifest, no metadata.
 */
export { createUploads, type UploadsOptions } from "./sessions.ts";
export { OutOfOrder, type Upload, type Uploads } from "./types.ts";
