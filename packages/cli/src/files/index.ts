/** Files inside images, for the commands that show them, and the cache in which their layers are kept. Knows no command. */
export { type CacheOptions, cacheFlags, cacheOf, cachePathFlag, cacheSizeFlag, withCache } from "./cache.ts";
export { type Compared, type ComparedPair, comparedImages } from "./compared.ts";
export { copyFiles } from "./copied.ts";
export { describedChange, diffLines } from "./diff-lines.ts";
export { type ListFilesOptions, listFiles } from "./list.ts";
export { namedFile, openFiles } from "./open.ts";
