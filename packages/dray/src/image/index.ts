/**
 * Images as views over a store: what they are made of, whether they are whole, and what becomes of them.
 * Imports everything below; knows no command and no server.
 */

export { deflateFormat } from "../deflate/index.ts";
export { type Estargz, type EstargzFacts, type EstargzOptions, estargz } from "../seekable/index.ts";
export * from "./changes/index.ts";
export { type CompareOptions, compare, type Difference } from "./compare.ts";
export {
  type ContainerConfig,
  type Healthcheck,
  type HistoryEntry,
  type ImageConfig,
  platformOf,
} from "./config.ts";
export * from "./diff/index.ts";
export { type Change, type Edited, type EditOptions, edit, type ImageChange, type Place } from "./edit.ts";
export { readEntries } from "./entries.ts";
export * from "./extract/index.ts";
export * from "./from/index.ts";
export * from "./layers/index.ts";
export * from "./matchers.ts";
export { type CompressOptions, compressLayer, gzipTypeOf, type PushedLayer, pushForm } from "./push-form.ts";
export { pushedRoot } from "./pushed-root.ts";
export {
  exportTar,
  type FileEntry,
  fileRemoved,
  fileWritten,
  type ImageFiles,
  type ImageFilesOptions,
  imageFiles,
  list,
  type ReadFileOptions,
  readFile,
  type TreeEntry,
  type TreeOptions,
  treeEntries,
  type WriteFileOptions,
  walk,
} from "./tree/index.ts";
export * from "./validate.ts";
export * from "./views.ts";
