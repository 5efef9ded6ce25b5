/** The service of a watch: everything below, put together by its settings. */
export { type ServeWatchOptions, serveWatch, type WatchServing } from "./serve-watch.ts";
