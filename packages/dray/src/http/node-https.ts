import type * as Https from "node:https";

/** `node:https` as it is, for the reason for which `node:http` is. */
export const https: typeof Https = process.getBuiltinModule("node:https");
