import { printable } from "dray/errors";
import type { FileEntry } from "dray/image";
import type { FileLocation } from "dray/locations";
import type { Call } from "../context.ts";
import type { ListingOptions } from "../flags.ts";
import { listing } from "../json.ts";
import type { CacheOptions } from "./cache.ts";
import { describedFile, longLines, shortName } from "./lines.ts";
import { openFiles } from "./open.ts";

/** How files are listed. */
export interface ListFilesOptions extends ListingOptions, CacheOptions {
  readonly long?: boolean;
  readonly recursive?: boolean;
  readonly fullRef?: boolean;
}

/** Lines whose columns are made as wide as each other: enough to look even, and no more memory than that. */
const linesAtOnce = 1000;

/** Lists a directory of an image, or all below it. */
export const listFiles = async (call: Call<ListFilesOptions>, file: FileLocation): Promise<void> => {
  const { options, out } = call;
  const { files, image, path, finding } = await openFiles(call)(file);
  if (options.recursive === true) await finding(() => files.stat(path));
  const entries = options.recursive === true ? files.walk(path) : await finding(() => files.list(path));
  if (options.output === "json") {
    const members = { location: file.image, digest: image.descriptor.digest, path };
    await listing(out, members, "files", entries, describedFile);
    return;
  }
  const nameOf = (entry: FileEntry): string =>
    options.fullRef === true
      ? `${file.image}:${entry.path}`
      : options.recursive === true
        ? entry.path
        : shortName(entry.path);
  if (options.long !== true) {
    for await (const entry of entries) await out.line(printable(nameOf(entry)));
    return;
  }
  let waiting: FileEntry[] = [];
  const print = async (): Promise<void> => {
    for (const line of longLines(waiting, nameOf)) await out.line(line);
    waiting = [];
  };
  for await (const entry of entries) if (waiting.push(entry) === linesAtOnce) await print();
  await print();
};
