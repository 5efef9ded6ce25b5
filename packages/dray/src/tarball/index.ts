/**
 * Tars as files: one that lies there, plain or compressed, read in place by its index; one that grows in `FILE.dray-part`
 * by position, or leaves as a stream; and the store over both, whatever form of archive the tar has.
 * Imports everything up to `compression/` and `tar/`; knows no form of archive.
 */
export {
  type ArchiveForm,
  type ArchiveOptions,
  type ArchiveStore,
  type ArchiveWriter,
  type Catalogue,
  type OpenTar,
  TarStore,
} from "./archive-store.ts";
export { openSink, outletOf } from "./open-sink.ts";
export { endingOf, type TarSink } from "./sink.ts";
export { type OpenTarOptions, openTar, spooledTar, type TarFile } from "./tar-file.ts";
export { TarPart } from "./tar-part.ts";
export type { Outlet } from "./tar-stream.ts";
