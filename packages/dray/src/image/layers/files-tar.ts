import { bytesContent, type Content, passedOver } from "../../content/index.ts";
import { DrayError } from "../../errors.ts";
import { endOfArchive, entryPath, type NewEntry, padding, writeHeader } from "../../tar/index.ts";

/** One entry of a tar that is made: a file of mode 0644, owned by root, of the year 1970, unless it is said. */
export interface FileInTar extends Omit<NewEntry, "size"> {
  /** What a file holds. Content says its `size`. Default: nothing. */
  readonly content?: Uint8Array | Content;
}

/**
 * A tar of a list of files, in the order of the list; the same list makes the same bytes. Names lie below the root of the image.
 * @throws DrayError `USAGE` for a name that leads elsewhere and for content without a size, when it is read; `SIZE_MISMATCH`
 * @example
 * const files = filesTar([
 *   { name: "etc/motd", content: new TextEncoder().encode("welcome\n") },
 *   { name: "srv/run.sh", mode: 0o755, uid: 1000, gid: 1000, content: new TextEncoder().encode("#!/bin/sh\n") },
 * ]);
 */
export const filesTar = (files: readonly FileInTar[]): Content => ({
  open: ({ offset = 0, signal } = {}) => passedOver(offset, tarOf(files, signal)),
});

async function* tarOf(files: readonly FileInTar[], signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
  for (const { content = new Uint8Array(0), ...entry } of files) {
    if (entryPath(entry.name) === undefined)
      throw new DrayError(
        "USAGE",
        `"${entry.name}" is no name of a file in a layer: write it from the root, such as etc/motd`,
      );
    yield* fileInTar(entry, "open" in content ? content : bytesContent(content), signal);
  }
  yield endOfArchive();
}

/** One entry with its body: its content has to be as long as it says. */
export async function* fileInTar(
  entry: Omit<NewEntry, "size">,
  content: Content,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const { size } = content;
  if (size === undefined) throw new DrayError("USAGE", `nothing says how large "${entry.name}" is`);
  yield writeHeader({ ...entry, size });
  let at = 0;
  for await (const chunk of content.open({ signal })) {
    at += chunk.byteLength;
    if (at > size) break;
    yield chunk;
  }
  if (at !== size)
    throw new DrayError(
      "SIZE_MISMATCH",
      `"${entry.name}" was to have ${size} bytes and has ${at > size ? "more" : at}: it changed while it was read; try again`,
    );
  yield padding(size);
}
