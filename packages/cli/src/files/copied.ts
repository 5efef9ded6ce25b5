import { chmod, mkdir, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { formatBytes, plural } from "@dray/service/figures";
import { DrayError } from "dray/errors";
import { extract, type ImageFiles } from "dray/image";
import { chunksToFile, ifPossible, nodeFiles, onDisk } from "dray/internal/files";
import type { FileLocation } from "dray/locations";
import type { Call } from "../context.ts";
import type { ListingOptions } from "../flags.ts";
import { document } from "../json.ts";
import type { CacheOptions } from "./cache.ts";
import { shortName } from "./lines.ts";
import { openFiles } from "./open.ts";

/** What was copied. */
interface Copied {
  readonly files: number;
  readonly bytes: number;
}

/**
 * Copies a file of an image, or a directory and all that is in it, to a path of this machine, as `cp -r` does: into a directory that is there, else
 * under that very name. What was there under it stays, but for a file in a file's place.
 */
export const copyFiles = async (
  call: Call<ListingOptions & CacheOptions>,
  file: FileLocation,
  to: string,
): Promise<void> => {
  const { signal, reporter, options, out } = call;
  if (to === "" || to === "-")
    throw new DrayError(
      "USAGE",
      `"${to}" is no path where files could go; dray cat ${file.image}:${file.path} prints one`,
    );
  const { files, image, path, finding } = await openFiles(call)(file);
  const entry = await finding(() => files.stat(path));
  const isDirectory = entry.type === "directory";
  const target = await targetOf(to, isDirectory ? shortName(entry.path) : shortName(file.path), isDirectory);
  let copied: Copied;
  if (isDirectory) {
    // Whoever copies files has them, as with `cp`.
    const how = { path: entry.path, owners: false, signal, onEvent: reporter.onEvent };
    const { leftOut, ...result } = await finding(() => extract(image, target, how));
    for (const { what, count, paths } of leftOut)
      if (what !== "owner")
        reporter.warn(
          `left out of ${plural(count, "file")}: ${what} (${paths.join(", ")}${count > paths.length ? ", …" : ""})`,
        );
    copied = { files: result.files, bytes: result.bytes };
  } else copied = await finding(() => oneFile(files, path, target, entry.mode));
  if (options.output === "json")
    await out.line(document({ location: file.image, digest: image.descriptor.digest, path, target, ...copied }));
  else reporter.note(`copied ${plural(copied.files, "file")}, ${formatBytes(copied.bytes)}, to ${target}`);
};

const oneFile = async (files: ImageFiles, path: string, target: string, mode: number): Promise<Copied> => {
  const bytes = await chunksToFile(nodeFiles, target, await files.open(path));
  await onDisk("write", target, () => chmod(target, mode & 0o777));
  return { files: 1, bytes };
};

/** Where it goes. The root of an image has no name of its own. */
const targetOf = async (to: string, name: string, isDirectory: boolean): Promise<string> => {
  const there = await onDisk("read", to, () => ifPossible(() => stat(to)));
  if (there?.isDirectory() === true) return name === "/" ? to : join(to, basename(name));
  if (isDirectory && there !== undefined)
    throw new DrayError(
      "EXISTS",
      `${to} is there and no directory: a directory of an image cannot take its place; name another path`,
      {
        reference: to,
      },
    );
  if (isDirectory || !/[/\\]$/.test(to)) return to;
  await onDisk("make", to, () => mkdir(to, { recursive: true }));
  return join(to, basename(name));
};
