import type { Cancel } from "../../content/index.ts";
import type { Layer } from "../views.ts";
import { indexedFiles } from "./indexed-files.ts";
import { type LayerFiles, scannedFiles } from "./layer-files.ts";
import { seekableFiles } from "./seekable-files.ts";

/** How layers are read as files. */
export interface FilesReading extends Cancel {
  /** `true`: the bytes of every file are wanted, which come sooner in one piece than file by file. Default: what is asked for alone. */
  readonly whole?: boolean | undefined;
}

/** How the files of a layer are come to: by parts of it where it allows that or was read before, else by reading all of it. */
export const filesOf = async (layer: Layer, { whole = false, signal }: FilesReading): Promise<LayerFiles> =>
  whole ? scannedFiles(layer) : ((await seekableFiles(layer, { signal })) ?? indexedFiles(layer));
