import { decompressed } from "../compression/index.ts";
import type { Cancel, Indexes } from "../content/index.ts";
import type { Descriptor } from "../oci/index.ts";
import { readEntries, type StreamedEntry } from "../tar/index.ts";
import { IndexMaking } from "./index-making.ts";
import { openIndex } from "./open-index.ts";

/** Where an index is kept, and how the layer is called. */
export interface IndexedEntriesOptions extends Cancel {
  readonly indexes: Indexes;
  readonly what: string;
}

/**
 * The entries of a layer that is read whole, and is checked on the way, as `readEntries` of its tar gives them. Where there is no index of it yet, one
 * is made meanwhile; it is kept if somebody reads to the end.
 * @param chunks the layer as it lies: it ends well only where it is what its digest says
 * @throws DrayError as `readEntries`
 */
export async function* indexedEntries(
  blob: Descriptor,
  chunks: AsyncIterable<Uint8Array>,
  { indexes, what }: IndexedEntriesOptions,
): AsyncGenerator<StreamedEntry> {
  if ((await openIndex(blob, indexes)) !== undefined) {
    yield* readEntries(decompressed(chunks), { what });
    return;
  }
  const making = new IndexMaking(blob, indexes);
  try {
    for await (const entry of readEntries(making.plain(decompressed(making.stored(chunks))), { what })) {
      await making.entry(entry);
      yield entry;
    }
    await making.end();
  } finally {
    await making.abandon();
  }
}
