/**
 * A `Handler` on a socket: HTTP/1.1 with or without TLS, limits, proxies in front, reload and graceful stop.
 * Imports `answer/` and the library; knows nothing of registries.
 */
export { listen } from "./listen.ts";
export type { Limits, Listener, ListenOptions, TlsOptions } from "./options.ts";
