/** Users and passwords in a file. Knows nothing of tokens. */
export { type HtpasswdOptions, htpasswd } from "./htpasswd.ts";
