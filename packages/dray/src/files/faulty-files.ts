import type { FileSystem, OpenFile } from "./file-system.ts";

/** A call of the file system; `count` is 1 for the first call of all. */
export interface FileCall {
  readonly operation: keyof FileSystem | keyof OpenFile;
  /** The file concerned; for `rename` the new name. */
  readonly path: string;
  readonly count: number;
}

/**
 * A file system that fails where a test says so: with the system's name of an error, such as `ENOSPC`, or not (`undefined`).
 * A file whose `close` fails is closed all the same, and a `write` that fails has written half.
 * @example faultyFiles(nodeFiles, ({ operation, count }) => (operation === "write" && count > 5 ? "ENOSPC" : undefined))
 */
export const faultyFiles = (base: FileSystem, fault: (call: FileCall) => string | undefined): FileSystem => {
  let count = 0;
  const check = (operation: FileCall["operation"], path: string): void => {
    const code = fault({ operation, path, count: ++count });
    if (code !== undefined)
      throw Object.assign(new Error(`${code}: injected, ${operation} '${path}'`), { code, syscall: operation, path });
  };
  const checked = async <T>(operation: keyof FileSystem, path: string, call: () => Promise<T>): Promise<T> => {
    check(operation, path);
    return call();
  };
  return {
    open: (path, flags, mode) =>
      checked("open", path, async () =>
        faultyFile(await base.open(path, flags, mode), (operation) => check(operation, path)),
      ),
    readFile: (path) => checked("readFile", path, () => base.readFile(path)),
    readdir: (path) => checked("readdir", path, () => base.readdir(path)),
    stat: (path) => checked("stat", path, () => base.stat(path)),
    lstat: (path) => checked("lstat", path, () => base.lstat(path)),
    realpath: (path) => checked("realpath", path, () => base.realpath(path)),
    mkdir: (path, options) => checked("mkdir", path, () => base.mkdir(path, options)),
    rename: (from, to) => checked("rename", to, () => base.rename(from, to)),
    unlink: (path) => checked("unlink", path, () => base.unlink(path)),
    rmdir: (path) => checked("rmdir", path, () => base.rmdir(path)),
    utimes: (path, accessed, modified) => checked("utimes", path, () => base.utimes(path, accessed, modified)),
  };
};

const faultyFile = (file: OpenFile, check: (operation: keyof OpenFile) => void): OpenFile => ({
  read: async (...args) => {
    check("read");
    return file.read(...args);
  },
  write: async (buffer, offset, length, position) => {
    try {
      check("write");
    } catch (error) {
      if (length > 1) await file.write(buffer, offset, length >> 1, position);
      throw error;
    }
    return file.write(buffer, offset, length, position);
  },
  stat: async () => {
    check("stat");
    return file.stat();
  },
  truncate: async (length) => {
    check("truncate");
    await file.truncate(length);
  },
  sync: async () => {
    check("sync");
    await file.sync();
  },
  close: async () => {
    await file.close();
    check("close");
  },
});
