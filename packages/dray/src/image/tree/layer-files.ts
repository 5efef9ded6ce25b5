import { type Cancel, indexesOf } from "../../content/index.ts";
import { defined } from "../../defined.ts";
import { DrayError } from "../../errors.ts";
import type { TarEntry } from "../../tar/index.ts";
import { readEntries } from "../entries.ts";
import type { Layer } from "../views.ts";
import { entriesOf } from "./layer-content.ts";

/** One entry of a layer. */
export interface LayerEntry extends TarEntry {
  /** Tells it from the layer's other entries, which may have its name: where its body begins in the tar, or its place in a table of contents. */
  readonly offset: number;
  /**
   * Its bytes, where they come along anyway; to be read before the next entry is asked for, or not at all. The memory of a chunk is gone when the
   * next one is asked for.
   */
  readonly body?: AsyncIterable<Uint8Array>;
}

/** An entry as it was told, found again by its offset. */
export interface LayerFile extends Pick<LayerEntry, "offset" | "size"> {
  /** For messages: where it is in the image, which links may have led elsewhere. */
  readonly path: string;
}

/**
 * A layer as files: what is in it, and the bytes of one of them. How much of the layer is fetched for that is the reader's matter; what it
 * gives is checked, by the layer's digest or by a digest of its own.
 */
export interface LayerFiles {
  /** In the order of the tar; of several with one name the last counts. */
  entries(options?: Cancel): AsyncIterable<LayerEntry>;
  /** @throws DrayError `NOT_FOUND` where the layer has no such entry */
  open(file: LayerFile, options?: Cancel): AsyncIterable<Uint8Array>;
}

/** A layer that can only be read from its beginning to its end, which is also when its digest is checked. */
export const scannedFiles = (layer: Layer): LayerFiles => ({
  entries: ({ signal } = {}) =>
    indexesOf(layer.store) === undefined
      ? entriesOf(layer, { lends: true, signal })
      : readEntries(layer, defined({ signal })),
  async *open({ path, offset }, { signal } = {}) {
    let found = false;
    for await (const entry of entriesOf(layer, { lends: false, signal })) {
      if (entry.offset !== offset) continue;
      found = true;
      yield* entry.body;
    }
    if (!found)
      throw new DrayError("NOT_FOUND", `layer ${layer.descriptor.digest} has no entry ${path} at byte ${offset}`, {
        reference: layer.descriptor.digest,
      });
  },
});

/** The same bytes in memory of their own, for whoever keeps chunks that are lent. */
export async function* copies(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) yield new Uint8Array(chunk);
}
