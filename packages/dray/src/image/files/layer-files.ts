import type { Cancel } from "../../content/index.ts";
import { DrayError } from "../../errors.ts";
import type { TarEntry } from "../../tar/index.ts";
import { readEntries } from "../entries.ts";
import type { Layer } from "../views.ts";

/** One entry of a layer. */
export interface LayerEntry extends TarEntry {
  /** Tells it from the layer's other entries, which may have its name: where its body begins in the tar, or its place in a table of contents. */
  readonly offset: number;
  /** Its bytes, where they come along anyway; to be read before the next entry is asked for, or not at all. */
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
  entries: (options = {}) => readEntries(layer, options),
  async *open({ path, offset }, options = {}) {
    let found = false;
    for await (const entry of readEntries(layer, options)) {
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
