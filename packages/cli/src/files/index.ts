/** Files inside images, for the commands that show them, and the cache in which their layers are kept. Knows no command. */
export { type CacheOptions, cacheFlags, cacheOf, cachePathFlag, withCache } from "./cache.ts";
export { type ListFilesOptions, listFiles } from "./list.ts";
export { type NamedFile, namedFile, openedImage, openFiles } from "./open.ts";
