/**
 * Who may do what: asked once for each request, before storage is touched. Imports words and shapes; knows no storage and no
 * endpoint.
 */
export { type HtpasswdOptions, htpasswd } from "./htpasswd.ts";
export { openAccess } from "./open.ts";
export { repositoryPatterns } from "./patterns.ts";
export { algorithms, fetchJson, type TokensOptions, tokens } from "./tokens/index.ts";
export type { Access, Action, Need, Principal, Verdict } from "./types.ts";
