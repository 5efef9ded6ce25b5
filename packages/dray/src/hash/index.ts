/**
 * Digests of much content: where the bytes are, or in other threads, whichever costs less on this processor.
 * Imports the words of `oci/`; knows no store, no file, no network.
 */
export { blockSize, giveBlock, takeBlock } from "./blocks.ts";
export { type AsyncDigester, digesterFor } from "./digester.ts";
export { closeHashWorkers } from "./pool.ts";
