/**
 * Who may do what: asked once for each request, before storage is touched. Imports words and shapes; knows no storage and no
 * endpoint.
 */

export { type Access, type Action, type Need, openAccess, type Principal, type Verdict } from "./access.ts";
export { type HtpasswdOptions, htpasswd } from "./htpasswd.ts";
export { repositoryPatterns } from "./patterns.ts";
export { algorithms, fetchJson, type TokensOptions, tokens } from "./tokens/index.ts";
