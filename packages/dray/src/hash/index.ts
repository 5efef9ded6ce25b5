/**
 * Digests of much content: where the bytes are, or in other threads, whichever costs less on this processor. A thread can
 * write what it hashes, since it has the bytes already.
 * Imports the words of `oci/`; knows no store and no network, and of files only the number of one that is open.
 */
export { blockSize, giveBlock, takeBlock } from "./blocks.ts";
export { type AsyncDigester, digesterFor, worthItsThread } from "./digester.ts";
export { type Failure, failureOf } from "./failure.ts";
export { hashInsideInThread, hashInThread, type InsideDigester, type ThreadedDigester } from "./in-thread.ts";
export { closeHashWorkers, HashPool } from "./pool.ts";
