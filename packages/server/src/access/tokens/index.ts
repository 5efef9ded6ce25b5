/** Tokens of an external service: which keys are trusted, and what a token allows. Knows nothing of passwords. */
export { algorithms } from "./algorithms.ts";
export { fetchJson } from "./fetch-json.ts";
export { type TokensOptions, tokens } from "./tokens.ts";
