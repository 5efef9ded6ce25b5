import { randomBytes } from "node:crypto";
import { dirname } from "node:path";
import { detach } from "../content/index.ts";
import { syncDirectory } from "./atomic.ts";
import { diskError, ifThere } from "./disk-error.ts";
import { writeFully } from "./file-chunks.ts";
import type { FileSystem } from "./file-system.ts";

/**
 * Writes a stream to a file, which has its name only when all of it is there and on the disk: what ends with an error, or by a kill, leaves
 * what was there before. A symbolic link is followed and stays; into a pipe or a device goes what comes. Chunks that were handed over are given
 * back.
 * @returns how many bytes it were
 * @throws DrayError `DISK`, and what the chunks throw
 */
export const chunksToFile = async (
  fs: FileSystem,
  path: string,
  chunks: AsyncIterable<Uint8Array>,
): Promise<number> => {
  let unfinished: string | undefined;
  let bytes = 0;
  const doing = <T>(work: Promise<T>): Promise<T> =>
    work.catch((cause: unknown) => {
      throw diskError(cause, "write", path);
    });
  try {
    const target = (await ifThere(() => fs.realpath(path))) ?? path;
    const there = await ifThere(() => fs.stat(target));
    const isPlain = there === undefined || there.isFile();
    unfinished = isPlain ? `${target}.${randomBytes(6).toString("hex")}.tmp` : undefined;
    const file = await doing(fs.open(unfinished ?? target, isPlain ? "wx" : "w"));
    try {
      for await (const chunk of chunks) {
        await doing(writeFully(file, chunk, null));
        bytes += chunk.byteLength;
        detach(chunk);
      }
      if (isPlain) await doing(file.sync());
    } finally {
      await file.close();
    }
    if (unfinished !== undefined) {
      await doing(fs.rename(unfinished, target));
      await doing(syncDirectory(fs, dirname(target)));
    }
    return bytes;
  } catch (error) {
    if (unfinished !== undefined) await fs.unlink(unfinished).catch(() => {});
    throw error;
  }
};
