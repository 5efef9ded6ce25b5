/** Tokens: how a token service gives them out and a registry checks them. */
export type { Access } from "./access.ts";
export type { TokenSigner } from "./jwt.ts";
export { type TokenServer, type TokenServerOptions, type TokenVerdict, tokenServer } from "./token-server.ts";
