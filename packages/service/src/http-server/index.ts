/**
 * A `Handler` on a socket: HTTP/1.1 with or without TLS, limits, proxies in front, reload and graceful stop.
 * Imports `response/` and the library; knows no route and no other part of a program.
 */
export { proxiesOf } from "./forwarded.ts";
export type { FailedHandshake } from "./handshakes.ts";
export { bind, listen } from "./listen.ts";
export { addressFault, fitsSocket, type ListenAddress, parseAddress } from "./listen-address.ts";
export type { Limits, Listener, ListenOptions, TlsOptions } from "./options.ts";
export type { LetGo, RoomOptions } from "./silences.ts";
