/** Where everything lies: memory has one size, nothing is allocated, and a segment of any content fits. */

/** Bytes of a segment at most. */
export const SEGMENT: usize = 1 << 20;

/** Symbols of literals and lengths, two of them never used, and of distances: what RFC 1951 calls the two alphabets. */
export const LITERALS: i32 = 288;
export const DISTANCES: i32 = 30;

/** A histogram: counts of literals and lengths, from 288 on counts of distances. */
export const DISTANCE_COUNTS: usize = 288 << 2;
export const HISTOGRAM: usize = 320 << 2;

/** Of the piece that was parsed last, of the block that it may become part of, and of both. */
export const PIECE: usize = 0x400;
export const BLOCK: usize = PIECE + HISTOGRAM;
export const BOTH: usize = BLOCK + HISTOGRAM;
/** Lengths of codes, a byte each, in the order of a histogram. */
export const LENGTHS: usize = BOTH + HISTOGRAM;
/** Codes: bits in the order in which they are sent, and from bit 24 on how many. By literal, by length less 3, by symbol of a distance. */
export const LITERAL_CODES: usize = LENGTHS + 320;
export const LENGTH_CODES: usize = LITERAL_CODES + (288 << 2);
export const DISTANCE_CODES: usize = LENGTH_CODES + (256 << 2);
/** What is counted, made and sent of the code for lengths of codes. */
export const RUN_COUNTS: usize = DISTANCE_CODES + (32 << 2);
export const RUN_LENGTHS: usize = RUN_COUNTS + (20 << 2);
export const RUN_CODES: usize = RUN_LENGTHS + 20;
export const RUNS: usize = RUN_CODES + (20 << 2);
/** Of the making of a code: symbols by count, weights and parents of the tree. */
export const SORTED: usize = 0x4000;
export const WEIGHTS: usize = SORTED + (288 << 2);
export const PARENTS: usize = WEIGHTS + (576 << 2);
export const DEPTHS: usize = PARENTS + (576 << 2);
export const PER_LENGTH: usize = DEPTHS + 576;
/** Logarithms: 256 fractions of 16 bits. */
export const FRACTIONS: usize = 0x7000;

/** Counts of the bytes of samples. */
export const DENSITY: usize = 0x8000;

/** What was seen where: by hash of four bytes, by hash of three, and from place to place. Places are kept by their lowest 16 bits. */
export const HEADS: usize = 0x10000;
export const HEADS_OF_3: usize = 0x30000;
export const PREVIOUS: usize = 0x40000;
export const SEEN_END: usize = 0x50000;

/** Tokens: literals before, then length less 2, then distance less 1. */
export const TOKENS: usize = 0x50000;
export const TOKENS_END: usize = 0xd0000;

/** Begins at a multiple of 64 KiB, so that the lowest bits of an address are those of a place. */
export const INPUT: usize = 0xd0000;
export const OUTPUT: usize = 0x1e0000;
export const PAGES: i32 = 0x310000 >> 16;
