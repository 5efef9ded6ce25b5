/**
 * Archives in the form of `docker save`, and the older one, as stores.
 * Imports everything up to `tarball/`; knows no registry and no layout.
 */
export type { ArchiveOptions } from "../tarball/index.ts";
export { type DockerArchiveStore as ArchiveStore, dockerArchive, legacyArchive } from "./docker-archive.ts";
