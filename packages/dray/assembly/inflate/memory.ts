/** Where everything lies of what decompresses. */

/** By the next bits: the symbol, shifted by four, and how many of the bits it takes; 0: no symbol has these. */
export const LITERAL_TABLE: usize = 0x0;
export const DISTANCE_TABLE: usize = 0x10000;
export const RUN_TABLE: usize = 0x20000;
/** Lengths of codes: of both alphabets, one behind the other, and of runs. */
export const LENGTHS: usize = 0x21000;
export const RUN_LENGTHS: usize = 0x21200;
export const NEXT_CODES: usize = 0x21300;

/** What came and was not read yet; zeros behind it are read where the stream ends. */
export const INPUT: usize = 0x22000;
export const INPUT_SIZE: usize = 0x10000;

/** The last 32 KiB of the result, and what is made. */
export const HISTORY: usize = 0x40000;
export const WINDOW: usize = 0x8000;
export const OUTPUT_END: usize = 0x80000;
export const PAGES: i32 = 9;
