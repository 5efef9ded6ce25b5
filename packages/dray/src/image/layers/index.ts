/**
 * New layers on their way into a store: tars that are made of folders and files, streams that are read once, what Windows wants of a layer,
 * and the one pass that compresses and hashes. Imports what lies below `image/`; knows no view and no change.
 */

export type { LayerContent } from "./contents.ts";
export { type DirectoryTarOptions, directoryTar } from "./directory-tar.ts";
export { type FileInTar, filesTar } from "./files-tar.ts";
export { type IngestLayerOptions, ingestLayer, type NewLayer } from "./ingest-layer.ts";
