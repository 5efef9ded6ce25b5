import type { Cancel, Content, WriteOptions } from "../content/index.ts";
import type { Descriptor, Digest } from "../oci/index.ts";
import { endOfArchive, type NewEntry, wholeEntry, writeHeader } from "../tar/index.ts";

/** Content with the name of its entry. The name holds the hex digits of the digest. */
export interface NamedContent {
  readonly descriptor: Descriptor;
  readonly name: string;
}

/** A small file at the end of an archive. */
export interface LastEntry {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** A tar that is being made of content that is known by its digest. */
export interface TarSink {
  /** Says what will come, in the order in which it shall lie. What comes without being announced is put behind. */
  plan(content: readonly NamedContent[]): Promise<void>;
  /** Whether it is there, whole and checked. */
  has(descriptor: Descriptor, options?: Cancel): Promise<boolean>;
  /** @throws DrayError `DIGEST_MISMATCH`, `SIZE_MISMATCH`, `DISK` */
  write(named: NamedContent, content: Content, options?: WriteOptions): Promise<void>;
  /** Content that is there. */
  read(descriptor: Descriptor, options?: Cancel): AsyncIterable<Uint8Array>;
  /**
   * Ends the archive: these entries under these names, a link for each further name, then the last ones. Only now is it seen
   * under its own name.
   * @throws DrayError `NOT_FOUND` when content is named that was not written
   */
  finish(names: ReadonlyMap<Digest, readonly string[]>, last: readonly LastEntry[]): Promise<void>;
  /** Lets go, and keeps what a later attempt can go on with. */
  abandon(): Promise<void>;
}

/** How an archive ends: links for further names, then the last entries. */
export const endingOf = (links: readonly NewEntry[], last: readonly LastEntry[]): Uint8Array =>
  Buffer.concat([
    ...links.map(writeHeader),
    ...last.map(({ name, bytes }) => wholeEntry({ name }, bytes)),
    endOfArchive(),
  ]);
