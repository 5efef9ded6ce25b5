import type { Cancel } from "../content/index.ts";
import type { TableEntry } from "./toc-table.ts";

/** A layer whose table of contents was read and checked, and of which single files can be read. */
export interface SeekableLayer {
  /** In the order of the tar; of several with one name the last counts. */
  entries(): AsyncIterable<TableEntry>;
  /**
   * The bytes of the file at a place. What a digest stands for is checked before the last of it is given.
   * @param path of the file, for messages
   * @throws DrayError `DIGEST_MISMATCH`, `SIZE_MISMATCH`, `MANIFEST_INVALID` for damaged compression, and what reading throws
   */
  open(file: { readonly place: number; readonly path: string }, options?: Cancel): AsyncIterable<Uint8Array>;
}
