/** Questions of an operator to a running registry, over a socket in its data folder: `serveControl` there, `control` here. */
export { type ControlClient, control } from "./client.ts";
export type { ControlActions, ControlName, Controls, Damage, Verified } from "./controls.ts";
export { type ControlServer, serveControl } from "./server.ts";
export { socketPath } from "./socket-path.ts";
