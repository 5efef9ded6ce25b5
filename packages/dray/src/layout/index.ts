/**
 * OCI image layouts, in a directory or in a tar, as stores.
 * Imports everything up to `tarball/`; knows no registry, no docker archive, no image.
 */
export type { ArchiveOptions as OciArchiveOptions } from "../tarball/index.ts";
export { collectLayoutGarbage, type LayoutGarbage, type LayoutGarbageOptions } from "./garbage.ts";
export { type OciArchiveStore, ociArchive } from "./oci-archive.ts";
export { type LayoutOptions, type LayoutStore, layoutStore } from "./store.ts";
