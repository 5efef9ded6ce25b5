import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { diskError, type FileSystem, writeFully } from "../files/index.ts";

/** A file that is written beside its final name. */
export interface PartFile {
  write(chunk: Uint8Array): Promise<void>;
  /** @param name the final one; `undefined`: it is thrown away */
  end(name: string | undefined): Promise<void>;
}

const unfinished = /^\.dray-[0-9a-f]{16}\.part$/;

/** Whether a file of that name was never finished. */
export const isPartName = (name: string): boolean => unfinished.test(name);

/** Begins one in a directory; `undefined` where there can be none. What fails is told, and nothing throws. */
export const beginPart = async (
  files: FileSystem,
  directory: string,
  onError: (error: unknown) => void,
): Promise<PartFile | undefined> => {
  const path = join(directory, `.dray-${randomBytes(8).toString("hex")}.part`);
  try {
    await files.makeDirectory(directory);
    // Images may be private, and other users' business is not what is in them.
    const file = await files.open(path, "wx", 0o600);
    let fails = false;
    const fail = async (error: unknown): Promise<void> => {
      fails = true;
      onError(diskError(error, "write", path));
    };
    return {
      write: async (chunk) => (fails ? undefined : writeFully(file, chunk, null).catch(fail)),
      end: async (name) => {
        await file.close().catch(fail);
        if (name !== undefined && !fails) await files.rename(path, name).catch(fail);
        if (name === undefined || fails) await files.unlink(path).catch(() => {});
      },
    };
  } catch (error) {
    onError(diskError(error, "write", path));
    return undefined;
  }
};
