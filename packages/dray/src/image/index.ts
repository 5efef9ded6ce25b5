/**
 * Images as views over a store: what they are made of, whether they are whole, and what becomes of them.
 * Imports everything below; knows no command and no server.
 */
export { type Change, type Edited, edit, type ImageChange } from "./edit.ts";
export { readEntries } from "./entries.ts";
export { type CompressOptions, compressLayer, pushForm } from "./push-form.ts";
export { type ReadFileOptions, readFile } from "./read-file.ts";
export * from "./validate.ts";
export * from "./views.ts";
