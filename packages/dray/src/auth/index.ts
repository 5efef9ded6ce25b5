/**
 * Who we are: keychains that find a credential, challenges, and the tokens they are exchanged for.
 * Imports `oci/`, `content/`, `files/` and `http/`; knows no registry API beyond its challenges.
 */
export * from "./authenticate.ts";
export * from "./challenge.ts";
export { type CredentialKind, describeCredential, identityOf, kindOf, tokenExpiry } from "./credential.ts";
export { Credentials } from "./credentials.ts";
export {
  type ConfigFilesOptions,
  type DockerConfigOptions,
  dockerConfig,
  dockerConfigFile,
  dockerHttpHeaders,
} from "./docker-config.ts";
export { environment } from "./environment.ts";
export type { HelperOptions } from "./helper.ts";
export * from "./image-creds.ts";
export { anonymous, chain, type Explanation, explain, staticCredential } from "./keychain.ts";
export { type LoginOptions, type LoginPlace, login, logout } from "./login.ts";
export { credentialsIn, parseCredentials } from "./parse-credentials.ts";
export * from "./scope.ts";
export type { Token } from "./token-request.ts";
export * from "./types.ts";
