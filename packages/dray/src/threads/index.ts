/**
 * Worker threads: a pool of them, the memory that they share, and how an error crosses. Where no thread can run, the work is
 * done in place.
 * Imports only the errors; knows no hash, no file and nothing of what the threads are for.
 */
export { type Block, BlockFeed, blockSize, giveBlock, takeBlock } from "./blocks.ts";
export { answerMessages, type Handler, type Job, ThreadEnded } from "./channel.ts";
export { closeThreads, type Place, type PoolOptions, type Script, ThreadPool } from "./pool.ts";
