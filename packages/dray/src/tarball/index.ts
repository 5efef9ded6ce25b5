/**
 * Tars as files: one that lies there, plain or compressed, read in place by its index; one that grows in `FILE.dray-part`
 * by position, or leaves as a stream.
 * Imports everything up to `tar/`; knows no image and no layout.
 */
export { Members } from "./members.ts";
export { type OpenSinkOptions, openSink, outletOf } from "./open-sink.ts";
export type { LastEntry, NamedContent, TarSink } from "./sink.ts";
export { type OpenTarOptions, openTar, type TarFile } from "./tar-file.ts";
export { TarPart } from "./tar-part.ts";
export type { Outlet } from "./tar-stream.ts";
