/**
 * Who asks: credentials of a request, challenges, and files of users that are read again when they change.
 * Imports `observe/` for notices and the library; knows no right: who may do what is decided elsewhere.
 */
export { addressOf } from "./address.ts";
export { type Authenticated, later, type Unauthenticated, unauthorised } from "./authenticated.ts";
export { challengeOf, isHeaderText } from "./challenge.ts";
export { type Credentials, credentialsOf } from "./credentials.ts";
export {
  openPasswordFile,
  type PasswordFile,
  type PasswordFileOptions,
} from "./htpasswd/index.ts";
export { WatchedFile, type WatchedOptions } from "./watched-file.ts";
