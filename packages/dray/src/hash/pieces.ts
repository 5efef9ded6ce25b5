/**
 * Bytes handed to the kernel at once. Larger ones fit neither the processor's cache, when another core writes what this one
 * has filled, nor file systems with large folios (ext4 since Linux 6.16, xfs): those take pages in one piece, from memory that was
 * not used lately, which in a virtual machine the host still has to find. Writing 512 MiB took 0.5 to 1.2 s of processor time in
 * pieces of 1 MiB, and 0.2 s in these.
 */
export const pieceSize: number = 128 * 1024;

/** Bytes of a page of memory; where it is larger, the first piece is a part of one. */
export const page: number = 4096;

/**
 * Bytes of the piece that begins here. The first one ends one page behind a multiple of the piece size, and so do all that follow:
 * a piece that begins at such a multiple would be given pages in one piece, and one that straddles it gets smaller ones, which
 * are at hand. That halves the time the kernel takes.
 */
export const pieceAt = (position: number): number => {
  const over = (((position - page) % pieceSize) + pieceSize) % pieceSize;
  return pieceSize - over;
};
