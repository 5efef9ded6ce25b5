/**
 * Archives in the form of `docker save`, and the older one, as stores.
 * Imports everything up to `tarball/`; knows no registry and no layout.
 */
export { type ArchiveOptions, type ArchiveStore, dockerArchive, legacyArchive } from "./docker-archive.ts";
