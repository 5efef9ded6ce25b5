import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { basename } from "node:path";
import { DrayError, isDrayError, restated } from "dray/errors";
import { type Addition, directoryTar, type Image, ingestLayer, type LayerContent, type NewLayer } from "dray/image";
import { LazyMap } from "dray/internal/async";
import { defined } from "dray/internal/defined";
import { fileContent, nodeFiles } from "dray/internal/files";
import type { Compression } from "dray/oci";
import type { Call } from "../context.ts";
import { wantsEstargz } from "../estargz.ts";
import type { Bench } from "./bench.ts";
import { told } from "./told.ts";

/** What is appended, and how it is packed. */
export interface AdditionsWanted {
  /** Files, directories and pipes; `-` is standard input. */
  readonly paths: readonly string[];
  readonly compression?: Compression | undefined;
  readonly level?: number | undefined;
  /** What the history says of each layer. Default: `dray WORD FILE`. */
  readonly createdBy?: string | undefined;
  /** Of directories. */
  readonly prefix?: string | undefined;
  readonly owner?: { readonly uid: number; readonly gid: number } | undefined;
}

/** The layers for one image after the other. Those for Windows are others, so each file may go there in two forms, once in each. @param word the command's */
export const additionsFor = (
  call: Call,
  bench: Bench,
  word: string,
  wanted: AdditionsWanted,
): ((image: Image) => Promise<readonly Addition[]>) => {
  const { paths, compression, level, createdBy } = wanted;
  /** Looked at when their turn comes. A stream is the same one each time, so that who needs it again is told. */
  const contents = new LazyMap<string, LayerContent>();
  // What was asked for otherwise is not made after all.
  const estargz = wantsEstargz(call.env) && (compression ?? "gzip") === "gzip" ? {} : undefined;
  const ingest = async (windows: boolean): Promise<readonly NewLayer[]> => {
    const layers: NewLayer[] = [];
    for (const path of paths) {
      const what = path === "-" ? "standard input" : path;
      const options = {
        windows,
        compression,
        level,
        estargz,
        what,
        signal: call.signal,
        onEvent: call.reporter.onEvent,
      };
      const content = await contents.get(path, () => opening(call, path, wanted));
      layers.push(
        await told(what, content, call.reporter, (heard) => ingestLayer(bench, heard, options)).catch(
          (error: unknown) => {
            throw isDrayError(error) ? restated(error, error.code, error.message, { reference: what }) : error;
          },
        ),
      );
    }
    return layers;
  };
  const made = new Map<boolean, Promise<readonly NewLayer[]>>();
  return async (image) => {
    const windows = (await image.config()).os === "windows";
    const making = made.get(windows) ?? ingest(windows);
    made.set(windows, making);
    return (await making).map((layer, i) => ({
      layer,
      history: { created_by: createdBy ?? `dray ${word} ${basename(paths[i] ?? "")}` },
    }));
  };
};

const opening = async ({ stdin }: Call, path: string, { prefix, owner }: AdditionsWanted): Promise<LayerContent> => {
  if (path === "-") return stdin();
  const facts = await stat(path).catch((cause: NodeJS.ErrnoException) => {
    throw cause.code === "ENOENT" || cause.code === "ENOTDIR"
      ? new DrayError("NOT_FOUND", `${path}: no such file or directory; check the path`, { cause, reference: path })
      : new DrayError("DISK", `cannot read ${path}: ${cause.message}`, { cause, reference: path });
  });
  if (facts.isFile()) return { ...fileContent(nodeFiles, path), size: facts.size };
  if (facts.isDirectory()) return directoryTar(path, defined({ prefix, owner }));
  // A pipe, which can be read once.
  return createReadStream(path);
};
