/**
 * Questions of an operator to a running program, over a socket that is its owner's alone: `serveControl` there, `control` here.
 * Imports the library; what can be asked is an argument.
 */
export { type ControlClient, control } from "./client.ts";
export type { ControlActions, ControlFormat, Controls, ControlWords } from "./format.ts";
export { type ControlServer, serveControl } from "./server.ts";
