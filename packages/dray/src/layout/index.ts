/**
 * OCI image layouts, in a directory or in a tar, as stores.
 * Imports `oci/`, `content/`, `files/` and `tar/`; knows no registry, no docker archive, no image.
 */
export { type OciArchiveOptions, type OciArchiveStore, ociArchive } from "./oci-archive.ts";
export { type LayoutOptions, type LayoutStore, layoutStore } from "./store.ts";
