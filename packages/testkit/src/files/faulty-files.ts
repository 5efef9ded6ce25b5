import { type FileSystem, nodeFiles, type OpenFile } from "dray/internal/files";

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
    access: (path, mode) => checked("access", path, () => base.access(path, mode)),
    statfs: (path) => checked("statfs", path, () => base.statfs(path)),
    mkdir: (path) => checked("mkdir", path, () => base.mkdir(path)),
    makeDirectory: (path) => checked("mkdir", path, () => base.makeDirectory(path)),
    rename: (from, to) => checked("rename", to, () => base.rename(from, to)),
    unlink: (path) => checked("unlink", path, () => base.unlink(path)),
    rmdir: (path) => checked("rmdir", path, () => base.rmdir(path)),
    utimes: (path, accessed, modified) => checked("utimes", path, () => base.utimes(path, accessed, modified)),
    chown: (path, uid, gid) => checked("chown", path, () => base.chown(path, uid, gid)),
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

/** What disks say most often. */
const usual = ["ENOSPC", "EIO", "EACCES", "EMFILE", "EROFS"] as const;

export interface EachFailure {
  /** Makes everything as it is before. */
  readonly before: () => Promise<void>;
  /** What is to be tried; deterministic in the calls it makes. */
  readonly work: (fs: FileSystem) => Promise<void>;
  /** Looks at what is left. `error`: what the work threw; a fault may also do no harm. */
  readonly after: (error: unknown, call: FileCall) => Promise<void>;
}

/**
 * Does a work as often as it calls the file system, another call failing each time: alone, and with all that come after it.
 * Tells how many calls there are.
 * @throws what `after` throws, and where files were left open
 */
export const failEachCall = async ({ before, work, after }: EachFailure): Promise<number> => {
  const calls: FileCall[] = [];
  const { files, left } = counted(nodeFiles);
  await before();
  await work(faultyFiles(files, (call) => void calls.push(call)));
  for (const [i, call] of calls.entries())
    for (const lasts of [false, true]) {
      await before();
      const code = usual[i % usual.length] as string;
      const fs = faultyFiles(files, ({ count }) => ((lasts ? count > i : count === i + 1) ? code : undefined));
      let error: unknown;
      try {
        await work(fs);
      } catch (thrown) {
        error = thrown;
      }
      if (left() > 0)
        throw new Error(`${left()} files were left open when ${JSON.stringify(call)} failed`, { cause: error });
      await after(error, call);
    }
  return calls.length;
};

/** A file system that knows how many of its files are open. */
const counted = (base: FileSystem): { files: FileSystem; left: () => number } => {
  let open = 0;
  const openFile: FileSystem["open"] = async (...args) => {
    const file = await base.open(...args);
    open++;
    return {
      read: (...how) => file.read(...how),
      write: (...how) => file.write(...how),
      stat: () => file.stat(),
      truncate: (length) => file.truncate(length),
      sync: () => file.sync(),
      close: async () => {
        open--;
        await file.close();
      },
    };
  };
  return { files: { ...base, open: openFile }, left: () => open };
};
