/** Tokens: how a token service gives them out and a registry checks them. */
export type { TokenSigner } from "./jwt.ts";
export { type TokenServerOptions, tokenServer } from "./token-server.ts";
export type { Access, TokenServer, TokenVerdict } from "./types.ts";
