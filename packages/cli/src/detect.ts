import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { dockerArchive } from "dray/archive";
import { bytesContent, type Located, overlay, type ReadableStore } from "dray/content";
import { DrayError, isDrayError } from "dray/errors";
import { defined } from "dray/internal/defined";
import { nodeFiles } from "dray/internal/files";
import { openTar, type TarFile } from "dray/internal/tarball";
import { type LayoutStore, layoutStore, ociArchive } from "dray/layout";
import { type OpenOptions, open } from "dray/locations";
import { type Descriptor, digestOf, mediaTypes, parseManifest } from "dray/oci";
import { liesHere } from "./local-names.ts";

export interface LocalOptions {
  /** All entries of a layout as one index. */
  readonly index: boolean;
  readonly stdin: () => Readable;
  /** Of `docker-daemon:`. Default: the one that the environment of the process names. */
  readonly engine?: OpenOptions["engine"];
  readonly signal: AbortSignal;
}

/** The image at a path: of an OCI layout in a directory, or of an archive of either kind. `-` is an archive on stdin. */
export const localImage = async (path: string, options: LocalOptions): Promise<Located<ReadableStore>> => {
  if (isLocation(path) && !options.index) return open(path, defined({ engine: options.engine }));
  if (path !== "-" && (await isDirectory(path, options))) return layoutAt(path, options);
  if (options.index) throw new DrayError("USAGE", `--index: "${path}" is no directory with an OCI layout`);
  return archiveAt(path, options);
};

/** What cannot be looked at is tried all the same: whoever opens it knows why not. */
const isDirectory = async (path: string, { index }: LocalOptions): Promise<boolean> => {
  try {
    return (await stat(path)).isDirectory();
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code !== "ENOENT" && code !== "ENOTDIR") return index;
    const [layout] = (await liesHere(path)) ?? [];
    const named = layout === undefined ? "" : `${layout.split(":", 1)[0]}:${path}`;
    const advice = named === "" ? "check the path" : `of what lies here an image is named as ${named}`;
    throw new DrayError("NOT_FOUND", `${path}: no such file or directory; ${advice}`, { cause, reference: path });
  }
};

const layoutAt = async (path: string, { index, signal }: LocalOptions): Promise<Located<ReadableStore>> => {
  const store = layoutStore(path);
  if (index) return { ...(await wholeLayout(path, store)), location: path };
  try {
    const root = await store.resolve("", { signal });
    return { store, name: root.digest, location: path };
  } catch (error) {
    if (!isDrayError(error, "USAGE")) throw error;
    throw new DrayError("USAGE", `${error.message}; or consider --index`, { cause: error });
  }
};

/** `index.json` itself, byte for byte, laid over the layout: what crane pushes. */
const wholeLayout = async (path: string, store: LayoutStore): Promise<Omit<Located<ReadableStore>, "location">> => {
  // Says what is wrong with a directory that is no layout.
  for await (const _ of store.tags()) break;
  const bytes = await readFile(join(path, "index.json"));
  const { mediaType } = parseManifest(bytes, mediaTypes.ociIndex);
  const root: Descriptor = { mediaType, digest: digestOf(bytes), size: bytes.byteLength };
  const over = overlay(store);
  await over.top.write(root, bytesContent(bytes));
  return { store: over, name: root.digest };
};

/** Where an archive is, and which of its images is meant. */
export interface ArchiveOptions extends Pick<LocalOptions, "stdin" | "signal"> {
  /** As the archive's form has names. Default: the only image. */
  readonly name?: string;
}

/**
 * What docker saved, or an OCI layout in a tar; newer dockers write both in one. A location says which form it has and which image is meant,
 * as the error of an archive with several images does.
 */
export const archiveAt = async (
  path: string,
  { name = "", stdin, signal }: ArchiveOptions,
): Promise<Located<ReadableStore>> => {
  if (isLocation(path)) {
    const located = await open(path);
    return name === "" ? located : { ...located, name };
  }
  // A pipe can be read only once, so both forms are looked for in one tar.
  const tar = await openTar(path, { fs: nodeFiles, signal, input: path === "-" ? stdin() : undefined });
  try {
    return await imageIn(tar, name, signal);
  } catch (error) {
    await tar.close();
    throw error;
  }
};

const imageIn = async (tar: TarFile, name: string, signal: AbortSignal): Promise<Located<ReadableStore>> => {
  const { path } = tar;
  try {
    const saved = dockerArchive(path, { tar });
    await saved.resolve(name, { signal });
    return { store: saved, name, location: `docker-archive:${path}` };
  } catch (error) {
    if (!isDrayError(error, "ARCHIVE_INVALID")) throw error;
    const layout = ociArchive(path, { tar });
    try {
      await layout.resolve(name, { signal });
      return { store: layout, name, location: `oci-archive:${path}` };
    } catch (other) {
      throw isDrayError(other, "ARCHIVE_INVALID", "LAYOUT_INVALID") ? error : other;
    }
  }
};

const isLocation = (path: string): boolean => /^(?:oci|oci-archive|docker-archive|docker-daemon):/.test(path);
