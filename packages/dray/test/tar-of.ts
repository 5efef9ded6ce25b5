/** Archives whose entries are written down. */
import { endOfArchive, type NewEntry, wholeEntry } from "../src/tar/index.ts";

/** An entry with what is in it, whose size is that of its body. */
export type Given = NewEntry & { readonly body?: Uint8Array | string };

export const entryOf = ({ body = "", ...entry }: Given): Uint8Array => wholeEntry(entry, Buffer.from(body));

export const tarOf = (entries: readonly Given[]): Buffer => Buffer.concat([...entries.map(entryOf), endOfArchive()]);
