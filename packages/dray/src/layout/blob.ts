import { sep } from "node:path";
import { DrayError, throwIfAborted } from "../errors.ts";
import { diskError, errnoOf, type FileSystem, type OpenFile, onDisk } from "../files/index.ts";
import type { Descriptor, Digest } from "../oci/index.ts";
import { layoutInvalid } from "./index-file.ts";
import type { LayoutPaths } from "./paths.ts";

/** Bytes read at a time. A chunk belongs to whoever takes it, so each has memory of its own. */
const chunkSize = 256 * 1024;

/**
 * The size of a blob, `undefined` when it is not there.
 * @throws DrayError `LAYOUT_INVALID` for what is no file, and for a link that leads out of the layout: whoever made the layout
 * could have us send any file of this machine
 */
export const blobSize = async (fs: FileSystem, paths: LayoutPaths, digest: Digest): Promise<number | undefined> => {
  const path = paths.blob(digest);
  try {
    let facts = await fs.lstat(path);
    if (facts.isSymbolicLink()) {
      const [inside, real] = await Promise.all([fs.realpath(paths.dir), fs.realpath(path)]);
      if (!real.startsWith(inside.endsWith(sep) ? inside : inside + sep))
        throw layoutInvalid(
          paths.dir,
          `blob ${digest} is a link out of the layout, to ${real}; put the file itself there`,
        );
      facts = await fs.stat(real);
    }
    // Opening a pipe would wait for ever.
    if (!facts.isFile())
      throw layoutInvalid(paths.dir, `blob ${digest} is no file; remove ${path} and copy it there again`);
    return facts.size;
  } catch (error) {
    const code = errnoOf(error);
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    if (code === "ELOOP") throw layoutInvalid(paths.dir, `blob ${digest} is a loop of links; remove ${path}`, error);
    throw diskError(error, "read", path);
  }
};

/**
 * The bytes of a blob from `offset` on, one chunk read ahead.
 * @throws DrayError `NOT_FOUND`, `LAYOUT_INVALID` when it has another size than it should, `DISK`
 */
export async function* blobChunks(
  fs: FileSystem,
  paths: LayoutPaths,
  descriptor: Descriptor,
  { offset, signal }: { readonly offset: number; readonly signal: AbortSignal | undefined },
): AsyncGenerator<Uint8Array> {
  const { digest, size } = descriptor;
  throwIfAborted(signal);
  const found = await blobSize(fs, paths, digest);
  if (found === undefined)
    throw new DrayError("NOT_FOUND", `layout ${paths.dir} has no ${digest}`, { reference: `oci:${paths.dir}` });
  if (found !== size)
    throw layoutInvalid(paths.dir, `blob ${digest} has ${found} bytes instead of ${size}; copy it there again`);
  const path = paths.blob(digest);
  const file = await onDisk("open", path, () => fs.open(path, "r"));
  let ahead: Promise<Uint8Array> | undefined;
  try {
    for (let at = offset; at < size; ) {
      throwIfAborted(signal);
      const chunk = await (ahead ?? readAt(file, path, at, size));
      ahead = undefined;
      if (chunk.byteLength === 0) return;
      at += chunk.byteLength;
      if (at < size) {
        ahead = readAt(file, path, at, size);
        // Nobody may ask for it any more.
        ahead.catch(() => {});
      }
      yield chunk;
    }
  } finally {
    await ahead?.catch(() => {});
    await onDisk("read", path, () => file.close());
  }
}

const readAt = (file: OpenFile, path: string, at: number, size: number): Promise<Uint8Array> =>
  onDisk("read", path, async () => {
    const chunk = new Uint8Array(Buffer.allocUnsafeSlow(Math.min(chunkSize, size - at)).buffer);
    const { bytesRead } = await file.read(chunk, 0, chunk.byteLength, at);
    return chunk.subarray(0, bytesRead);
  });
