import type { Cancel } from "../content/index.ts";
import type { DrayError } from "../errors.ts";
import { algorithmOf, type Descriptor, type Digest, hexOf } from "../oci/index.ts";

/** A file of a layout, found and not opened yet. */
export interface LayoutFile {
  readonly size: number;
  /** Another one where the file was changed or replaced. Without one nobody knows. */
  readonly version?: string;
  /** Its bytes from `offset` on, as many as were found, or as `length` says. */
  read(options?: Cancel & { readonly offset?: number; readonly length?: number }): AsyncIterable<Uint8Array>;
  /** All of a small file at once: as it is now, where another may have taken its place. */
  load(options?: Cancel): Promise<Uint8Array>;
}

/** Whatever holds the files of a layout by their names, such as a directory or a tar, and how it says what is wrong with them. */
export interface LayoutFiles {
  /** How it is called in messages. */
  readonly what: string;
  /** How it is written as a location. */
  readonly location: string;
  /** Whether its files stay as they are as long as it is open. */
  readonly fixed: boolean;
  /** @throws DrayError for what is no file, and for links that lead elsewhere */
  find(name: string, options: Cancel): Promise<LayoutFile | undefined>;
  /** Why there is no `index.json`. */
  noIndex(): Promise<DrayError>;
  /** The error for a file that is not what a layout should have. */
  invalid(fault: string, cause?: DrayError): DrayError;
  /** The error for a blob that is not what its descriptor says; its file has `size` bytes. */
  damaged(blob: Descriptor, size: number, cause: DrayError): unknown;
}

/** Name of a blob's file. */
export const blobFile = (digest: Digest): string => `blobs/${algorithmOf(digest)}/${hexOf(digest)}`;
