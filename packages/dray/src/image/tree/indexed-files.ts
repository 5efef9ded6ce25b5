import { indexesOf } from "../../content/index.ts";
import { IndexLost, openIndexed } from "../../layer-index/index.ts";
import { rangesOf } from "../../seekable/index.ts";
import type { Layer } from "../views.ts";
import { type LayerFiles, scannedFiles } from "./layer-files.ts";
import { tableFiles } from "./seekable-files.ts";

/**
 * A layer that is read in parts, by its index, as soon as it was read whole where indexes are kept: by an earlier call, by another process, or just now.
 * Elsewhere, and where its index is damaged, it is read from its beginning to its end.
 */
export const indexedFiles = (layer: Layer): LayerFiles => {
  const scanned = scannedFiles(layer);
  const indexes = indexesOf(layer.store);
  if (indexes === undefined) return scanned;
  const { descriptor } = layer;
  const ranges = rangesOf(descriptor.size, (part) => layer.compressed(part));
  let known: LayerFiles | undefined;
  const opened = async (): Promise<LayerFiles | undefined> => {
    if (known !== undefined) return known;
    const found = await openIndexed(ranges, descriptor, indexes);
    return (known = found && tableFiles(found));
  };
  return {
    async *entries(options) {
      let told = 0;
      try {
        const files = await opened();
        for await (const entry of files?.entries(options) ?? []) {
          told++;
          yield entry;
        }
        if (files !== undefined) return;
      } catch (error) {
        if (!(error instanceof IndexLost)) throw error;
        known = undefined;
      }
      for await (const entry of scanned.entries(options)) if (told-- <= 0) yield entry;
    },
    async *open(file, options) {
      const files = await opened();
      try {
        yield* (files ?? scanned).open(file, options);
      } catch (error) {
        if (!(error instanceof IndexLost)) throw error;
        known = undefined;
        yield* scanned.open(file, options);
      }
    },
  };
};
