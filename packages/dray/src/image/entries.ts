import { decompressed } from "../compression/index.ts";
import { indexesOf, type ReadOptions } from "../content/index.ts";
import { indexedEntries } from "../layer-index/index.ts";
import { hasTable } from "../seekable/index.ts";
import { type StreamedEntry, readEntries as tarEntries } from "../tar/index.ts";
import { refuseEncrypted } from "./readable-layer.ts";
import type { Layer } from "./views.ts";

/**
 * What is in a layer, entry after entry as it is read; any tar, compressed or not, as bytes too. A body can be read once, before the next entry is
 * asked for; what is not read is passed over. Names are as written, not safe to use as paths. Read to its end, the layer has its digest.
 * @throws DrayError `ARCHIVE_INVALID`, `UNSUPPORTED`, `MANIFEST_INVALID` for damaged compression, and what reading throws
 * @example for await (const { name, size } of readEntries(layer)) console.log(name, size);
 */
export const readEntries = (
  layer: Layer | AsyncIterable<Uint8Array>,
  options: Omit<ReadOptions, "offset" | "kind"> = {},
): AsyncGenerator<StreamedEntry> => ("descriptor" in layer ? ofLayer(layer, options) : tarEntries(decompressed(layer)));

/** With a store that keeps indexes the layer gets one, unless it has a table of contents, or is not read whole and checked. */
const ofLayer = (layer: Layer, options: Omit<ReadOptions, "offset" | "kind">): AsyncGenerator<StreamedEntry> => {
  const { descriptor, store } = layer;
  refuseEncrypted(descriptor);
  const what = `layer ${descriptor.digest}`;
  const isWhole = options.verify !== false && options.length === undefined;
  const indexes = isWhole && !hasTable(descriptor.annotations) ? indexesOf(store) : undefined;
  return indexes === undefined
    ? tarEntries(layer.uncompressed(options), { what })
    : indexedEntries(descriptor, layer.compressed({ ...options, offset: undefined }), { indexes, what });
};
