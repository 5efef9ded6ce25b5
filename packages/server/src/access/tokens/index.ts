/** Tokens of an external service: which keys are trusted, and what a token allows. Knows nothing of passwords. */

export { algorithms } from "./algorithms.ts";
export type { FetchJson } from "./remote-keys.ts";
export { type TokensOptions, tokens } from "./tokens.ts";
