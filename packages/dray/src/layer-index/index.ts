/**
 * Indexes of layers that were read whole: restart points of gzip, digests of the bytes as they lie, and the list of entries, so that who wants one file
 * next time reads the parts that it takes. They are kept where a store says that it keeps some.
 * Imports `seekable/`, `tar/`, `compression/`, `deflate/` and `content/`; knows no cache, no file and no image.
 */
export { IndexLost } from "./index-reader.ts";
export { indexedEntries } from "./indexed-entries.ts";
export { openIndexed } from "./open-indexed.ts";
