/**
 * Digests of much content: where the bytes are, or in other threads, whichever costs less on this processor. A thread can
 * write what it hashes, since it has the bytes already.
 * Imports the words of `oci/` and `threads/`; knows no store and no network, and of files only the number of one that is open.
 */
export { digesterFor, worthItsThread } from "./digester.ts";
export type { AsyncDigester } from "./in-place.ts";
export { createHashPool, type HashPool, ThreadedHash, threadsBesideThis } from "./in-thread.ts";
export { type HashAnswer, type HashStep, pieceAt } from "./steps.ts";
