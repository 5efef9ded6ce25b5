import { constants } from "node:fs";
import { errnoOf, ifThere } from "./disk-error.ts";
import type { FileFacts, FileSystem, OpenFile } from "./file-system.ts";

/** A link is not followed, and nobody waits at a pipe, where the system can be told so. */
const inPlace = constants.O_RDWR | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);

/**
 * Opens an unfinished file to go on with it: the one of an earlier attempt of this user, or a new one. A link, a file that has another name as
 * well, one of another user and whatever is no file were put there for another purpose: nothing is written through them, and they are taken away.
 */
export const openPart = async (fs: FileSystem, path: string, mode?: number): Promise<OpenFile> =>
  (await earlierAttempt(fs, path)) ?? fs.open(path, "wx+", mode);

const earlierAttempt = async (fs: FileSystem, path: string): Promise<OpenFile | undefined> => {
  const facts = await ifThere(() => fs.lstat(path));
  if (facts === undefined) return undefined;
  if (isOurs(facts)) {
    const file = await openSame(fs, path, facts);
    if (file !== undefined) return file;
  }
  await fs.unlink(path);
  return undefined;
};

const isOurs = (facts: FileFacts): boolean =>
  facts.isFile() && facts.nlink === 1 && (process.getuid === undefined || facts.uid === process.getuid());

/** The file that was looked at; nothing where another one took its place. */
const openSame = async (fs: FileSystem, path: string, { ino, dev }: FileFacts): Promise<OpenFile | undefined> => {
  let file: OpenFile;
  try {
    file = await fs.open(path, inPlace);
  } catch (error) {
    if (errnoOf(error) === "ELOOP") return undefined;
    throw error;
  }
  const opened = await file.stat().catch(async (error: unknown) => {
    await file.close().catch(() => {});
    throw error;
  });
  if (opened.ino === ino && opened.dev === dev) return file;
  await file.close();
  return undefined;
};
