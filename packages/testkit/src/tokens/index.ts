/** Tokens: how a token service gives them out and a registry checks them. */
export type { Access, TokenServer, TokenVerdict } from "./types.ts";
