/**
 * Digests of much content: where the bytes are, or in other threads, whichever costs less on this processor. A thread can
 * write what it hashes, since it has the bytes already.
 * Imports the words of `oci/` and `threads/`; knows no store and no network, and of files only the number of one that is open.
 */
export type { AsyncDigester } from "./async-digester.ts";
export { digesterFor, worthItsThread } from "./digester.ts";
export { type HashPool, ThreadedHash } from "./in-thread.ts";
export { pieceAt, pieceSize } from "./pieces.ts";
export type { HashAnswer, HashStep } from "./steps.ts";
