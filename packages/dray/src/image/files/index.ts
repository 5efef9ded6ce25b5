/**
 * The files of an image: its layers, from the top down, as one tree that is read only as far as somebody asks, and what a layer has to hold to
 * change one of them. Imports new layers, `tar/`, `compression/` and the views; knows no place on a disk.
 */
export {
  type FileEntry,
  type ImageFiles,
  type ImageFilesOptions,
  imageFiles,
  list,
  type ReadFileOptions,
  readFile,
  walk,
} from "./image-files.ts";
export { LayeredTree, type Visit } from "./layered-tree.ts";
export { fileRemoved, fileWritten, type WriteFileOptions } from "./one-file.ts";
