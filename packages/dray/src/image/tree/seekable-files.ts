import type { Cancel } from "../../content/index.ts";
import { openSeekable, rangesOf, type SeekableLayer } from "../../seekable/index.ts";
import type { Layer } from "../views.ts";
import type { LayerEntry, LayerFiles } from "./layer-files.ts";

/**
 * A layer of which single files can be read, by its table of contents: eStargz or zstd:chunked. `undefined` for any other. An entry is told from others by
 * its place in the table. What the format itself has put into the tar is not in there.
 */
export const seekableFiles = async (layer: Layer, options: Cancel = {}): Promise<LayerFiles | undefined> => {
  const { annotations, size } = layer.descriptor;
  const ranges = rangesOf(size, (part) => layer.compressed(part));
  const table = await openSeekable(ranges, annotations, options);
  return table && tableFiles(table);
};

/** The files of a layer that was opened. */
export const tableFiles = (table: SeekableLayer): LayerFiles => ({
  async *entries(): AsyncGenerator<LayerEntry> {
    for await (const { place, ...entry } of table.entries()) yield { ...entry, offset: place };
  },
  open: ({ path, offset }, opening) => table.open({ path, place: offset }, opening),
});
