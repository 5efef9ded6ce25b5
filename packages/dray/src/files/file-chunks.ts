import { type Content, transferable, transfersChunks } from "../content/index.ts";
import { throwIfAborted } from "../errors.ts";
import { onDisk } from "./disk-error.ts";
import type { FileSystem, OpenFile } from "./file-system.ts";

const blockSize = 256 * 1024;

export interface FileRange {
  /** First byte to read. */
  readonly start: number;
  /** The byte behind the last. */
  readonly end: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Read-ahead over a range of an open file: blocks of 256 KiB, the next one on its way while one is used. Ends early where the file
 * does; whoever knows its size counts. Each block has memory of its own, which belongs to whoever takes it.
 * @throws DrayError `DISK`, `ABORTED`
 */
export async function* fileChunks(
  file: OpenFile,
  path: string,
  { start, end, signal }: FileRange,
): AsyncGenerator<Uint8Array> {
  const ask = (from: number): Promise<Uint8Array> => {
    const asked = onDisk("read", path, () => readFully(file, from, Math.min(blockSize, end - from)));
    // It may fail while nobody waits for it.
    asked.catch(() => {});
    return asked;
  };
  let next = start < end ? ask(start) : undefined;
  try {
    for (let at = start; next !== undefined; ) {
      throwIfAborted(signal);
      const block: Uint8Array = await next;
      at += block.byteLength;
      if (block.byteLength === 0) return;
      next = at < end ? ask(at) : undefined;
      yield transferable(block);
    }
  } finally {
    // The file is closed next, and nothing may still read from it.
    await next?.catch(() => {});
  }
}

/** As `fileChunks`, of a file that is opened for it and closed whatever happens; `rangeOf` looks at it first. */
export async function* chunksOfFile(
  fs: Pick<FileSystem, "open">,
  path: string,
  rangeOf: (file: OpenFile) => Promise<FileRange>,
): AsyncGenerator<Uint8Array> {
  const file = await onDisk("read", path, () => fs.open(path, "r"));
  try {
    yield* fileChunks(file, path, await onDisk("read", path, () => rangeOf(file)));
  } finally {
    await onDisk("read", path, () => file.close());
  }
}

/** A file as content: opened each time it is read, so that nothing is held meanwhile. */
export const fileContent = (fs: FileSystem, path: string): Content => ({
  open: transfersChunks<Content["open"]>(({ offset = 0, signal } = {}) =>
    chunksOfFile(fs, path, async (file) => ({ start: offset, end: (await file.stat()).size, signal })),
  ),
});

/** So many bytes of a file from `offset` on; fewer only where it ends. */
export const readFully = async (file: Pick<OpenFile, "read">, offset: number, length: number): Promise<Uint8Array> => {
  const block = new Uint8Array(Buffer.allocUnsafeSlow(length).buffer);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await file.read(block, filled, length - filled, offset + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return block.subarray(0, filled);
};

/** Writes all of these bytes, at a position or, where that is `null`, as the next ones. */
export const writeFully = async (file: OpenFile, bytes: Uint8Array, position: number | null): Promise<void> => {
  for (let at = 0; at < bytes.byteLength; ) {
    const { bytesWritten } = await file.write(
      bytes,
      at,
      bytes.byteLength - at,
      position === null ? null : position + at,
    );
    at += bytesWritten;
  }
};
