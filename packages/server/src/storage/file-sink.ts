import { errnoOf, type FileSystem, type OpenFile, onDisk } from "dray/internal/files";
import type { ByteSink } from "./append-file.ts";

/** A file to receive into, made where there is none. `fresh`: there is none. */
export const fileSink = async (fs: FileSystem, path: string, fresh = false): Promise<ByteSink> => {
  const file = fresh ? await fs.open(path, "wx+") : await openToGrow(fs, path);
  return {
    size: () => onDisk("read", path, async () => (await file.stat()).size),
    read: (into, position) =>
      onDisk("read", path, async () => (await file.read(into, 0, into.byteLength, position)).bytesRead),
    write: (bytes, position) =>
      onDisk("write", path, async () => (await file.write(bytes, 0, bytes.byteLength, position)).bytesWritten),
    truncate: (length) => onDisk("write", path, () => file.truncate(length)),
    close: () => onDisk("write", path, () => file.close()),
  };
};

const openToGrow = async (fs: FileSystem, path: string): Promise<OpenFile> => {
  try {
    return await fs.open(path, "r+");
  } catch (error) {
    if (errnoOf(error) !== "ENOENT") throw error;
    return fs.open(path, "wx+");
  }
};
