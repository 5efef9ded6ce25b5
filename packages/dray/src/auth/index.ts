/**
 * Who we are: keychains that find a credential, challenges, and the tokens they are exchanged for.
 * Imports `oci/`, `content/`, `files/` and `http/`; knows no registry API beyond its challenges.
 */
export * from "./authenticate.ts";
export * from "./challenge.ts";
export type { ConfigFilesOptions } from "./config-files.ts";
export { type CredentialKind, describeCredential, identityOf, kindOf } from "./credential.ts";
export * from "./docker-config.ts";
export { environment } from "./environment.ts";
export * from "./explain.ts";
export { type FetchTokenOptions, fetchToken } from "./fetch-token.ts";
export type { HelperOptions } from "./helper.ts";
export * from "./keychain.ts";
export * from "./login.ts";
export * from "./scope.ts";
export type { Token } from "./token-answer.ts";
export * from "./types.ts";
