import { DrayError, isDrayError } from "../errors.ts";

/** The system's name of an error, such as `ENOENT`. */
export const errnoOf = (error: unknown): string | undefined => {
  const { code } = (error ?? {}) as { readonly code?: unknown };
  return typeof code === "string" && /^E[A-Z0-9]+$/.test(code) ? code : undefined;
};

/** The system's name of what lies behind a `DISK` error, however often that was said again. */
export const errnoBehind = (error: unknown): string | undefined =>
  isDrayError(error, "DISK") ? errnoBehind(error.cause) : errnoOf(error);

/** What it means, and what to do about it. */
const remedies: Readonly<Record<string, string>> = {
  ENOSPC: "the disk is full; free some space and run it again",
  EDQUOT: "the disk quota is used up; free some space and run it again",
  EROFS: "the file system is read-only; choose another directory",
  EACCES: "permission denied; check its owner and mode, and those of the directories above it",
  EPERM: "the system does not permit it; check owner, mode and attributes",
  EMFILE: "too many files are open in this process; raise the limit (ulimit -n) or use fewer jobs",
  ENFILE: "too many files are open on this machine; close some programs or raise the limit",
  EIO: "the disk reports an error; check the disk and the system's log",
  EFBIG: "the file is larger than the file system or a limit (ulimit -f) allows",
  ENOENT: "it does not exist",
  ENOTDIR: "a part of the path is no directory",
  EEXIST: "something of that name is in the way; move it away, or choose another path",
  EISDIR: "it is a directory, where a file is needed",
  ENAMETOOLONG: "the path is too long for the file system",
  ELOOP: "the path runs through a loop of symbolic links",
  EBUSY: "it is in use",
  EXDEV: "it would have to move to another file system; keep the directory on one",
  ESTALE: "the network file system lost track of it; mount it again",
  ETXTBSY: "it is a program that is running",
};

/**
 * The error for a call of the file system that failed: what was tried, on what, why, and what to do. Errors that are not
 * the system's are returned as they are.
 */
export const diskError = (cause: unknown, doing: string, path: string): unknown => {
  const code = errnoOf(cause);
  if (code === undefined || isDrayError(cause)) return cause;
  const why = remedies[code] ?? (cause as Error).message;
  return new DrayError("DISK", `cannot ${doing} ${path}: ${why} (${code})`, { cause });
};

/** Does something with the file system and turns its errors into `DISK` errors. `doing` is a verb: "write". */
export const onDisk = async <T>(doing: string, path: string, work: () => Promise<T>): Promise<T> => {
  try {
    return await work();
  } catch (error) {
    throw diskError(error, doing, path);
  }
};

/** What comes of something that may not be there: nothing where it is not. */
export const ifThere = async <T>(work: () => Promise<T>): Promise<T | undefined> => unlessFails(absent, work);

/** The same where it may not even be possible: below a file, under too long a name, behind a link to itself, or a folder instead. */
export const ifPossible = async <T>(work: () => Promise<T>): Promise<T | undefined> => unlessFails(impossible, work);

const absent: ReadonlySet<string> = new Set(["ENOENT"]);
const impossible: ReadonlySet<string> = new Set(["ENOENT", "ENOTDIR", "EISDIR", "ENAMETOOLONG", "ELOOP"]);

const unlessFails = async <T>(names: ReadonlySet<string>, work: () => Promise<T>): Promise<T | undefined> => {
  try {
    return await work();
  } catch (error) {
    if (names.has(errnoOf(error) ?? "")) return undefined;
    throw error;
  }
};
