/**
 * Upload sessions: what was received of blobs that are not whole yet.
 * Imports `storage/` and the paths of `distribution-tree/`; knows no request, no manifest, no metadata.
 */
export { OutOfOrder, type Upload } from "./session.ts";
export { Uploads, type UploadsOptions } from "./uploads.ts";
export type { Meter } from "./writer.ts";
