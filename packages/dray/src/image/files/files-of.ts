import type { Cancel } from "../../content/index.ts";
import type { Layer } from "../views.ts";
import { indexedFiles } from "./indexed-files.ts";
import type { LayerFiles } from "./layer-files.ts";
import { seekableFiles } from "./seekable-files.ts";

/** How the files of a layer are come to: by parts of it where it allows that or was read before, else by reading all of it. */
export const filesOf = async (layer: Layer, options: Cancel = {}): Promise<LayerFiles> =>
  (await seekableFiles(layer, options)) ?? indexedFiles(layer);
