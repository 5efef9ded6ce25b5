/**
 * Verification: whether tags, manifests, links and data of a registry are whole, while it is in use. May import the tree, what is known
 * of it, and blobs as they are served; never knows HTTP, nor who asked for it.
 */
export type { Finding, Verified, VerifyOptions } from "./types.ts";
export { Verifier } from "./verifier.ts";
