import { blockSize } from "../threads/index.ts";

/**
 * Name and version of what is written. Equal input at an equal level gives equal bytes wherever this name is the same, on every runtime,
 * processor and number of cores (`docs/compression.md`). What changes a byte changes the number, and comes with a new major version alone.
 * @example manifest.annotations = { "com.example.compressed-as": deflateFormat };
 */
export const deflateFormat = "dray-deflate-1";

/** Bytes of a segment: each is compressed by itself, without a look at the one before, and ends at a whole byte (an empty stored block). */
export const segmentSize: number = 1024 * 1024;

/** Blocks of shared memory that a segment fills. */
export const segmentBlocks: number = segmentSize / blockSize;
