import { randomBytes } from "node:crypto";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isDrayError, restated } from "../errors.ts";
import { appendFile, type FileSystem, type OpenFile, onDisk } from "../files/index.ts";

/** A temporary file, open, that nobody else can name. */
export interface Spool {
  readonly file: OpenFile;
  readonly size: number;
  /** Closes and thereby removes it. */
  close(): Promise<void>;
}

/** Files that are open; whoever forgets to close one keeps it until the process ends, instead of being ended by it. */
const open = new Set<Spool>();

/** Whoever cannot write there writes somewhere else. */
const elsewhere = <T>(writing: Promise<T>): Promise<T> =>
  writing.catch((error: unknown) => {
    if (!isDrayError(error, "DISK")) throw error;
    throw restated(error, "DISK", `${error.message}; TMPDIR names another folder`, { cause: error.cause });
  });

/**
 * Keeps a stream in a temporary file, to be read here and there: in the system's folder for such files (`TMPDIR`), where
 * there must be room for all of it. It has no name as soon as it is open, so that not even a kill leaves it behind.
 */
export const spool = async (fs: FileSystem, chunks: AsyncIterable<Uint8Array>): Promise<Spool> => {
  const path = join(tmpdir(), `dray-${randomBytes(8).toString("hex")}`);
  const file = await elsewhere(onDisk("make the temporary file", path, () => fs.open(path, "wx+", 0o600)));
  // Where open files cannot be removed it happens at the end.
  const named = await fs.unlink(path).then(
    () => false,
    () => true,
  );
  const remove = async (): Promise<void> => {
    if (named) await fs.unlink(path).catch(() => {});
  };
  let size = 0;
  try {
    const growing = await appendFile(file, `the temporary file ${path}`, { there: 0, keepOpen: true });
    try {
      for await (const chunk of chunks) await elsewhere(growing.append(chunk));
    } catch (error) {
      // The file is closed next, and nothing may still write to it.
      await growing.close().catch(() => {});
      throw error;
    }
    size = await elsewhere(growing.flush());
  } catch (error) {
    await file.close().catch(() => {});
    await remove();
    throw error;
  }
  const kept: Spool = {
    file,
    size,
    close: async () => {
      if (!open.delete(kept)) return;
      await onDisk("close the temporary file", path, () => file.close());
      await remove();
    },
  };
  open.add(kept);
  return kept;
};
