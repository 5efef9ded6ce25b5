import { DrayError } from "dray/errors";
import type { AppendFile } from "dray/internal/files";
import type { DigestAlgorithm } from "dray/oci";

/**
 * Where a registry's bytes lie: files by path. A path is relative, `/` between its names, never `.` or `..`. Every method rejects
 * with a `DrayError` `DISK` where the store fails; that something is not there is no failure.
 */
export interface Driver {
  /** A small file, whole; `undefined` where there is none. */
  read(path: string): Promise<Uint8Array | undefined>;
  /** A file to be read by position, or `undefined`. Close it. */
  open(path: string): Promise<StoredFile | undefined>;
  /** What is there, file or directory. */
  stat(path: string): Promise<Facts | undefined>;
  /** The names in a directory, in no order; `undefined` where there is none. */
  list(path: string): Promise<string[] | undefined>;
  /**
   * Makes or replaces a small file, and the directories above it. Readers see the old bytes or the new, whole. When this resolves
   * they last, names and directories included.
   */
  write(path: string, bytes: Uint8Array, options?: WriteOptions): Promise<void>;
  /** Makes a directory and those above it; nothing is done where it is there. When this resolves they last. */
  makeDirectory(path: string): Promise<void>;
  /** Gives a file another name, replacing what is there; makes the directories above it. When this resolves the bytes and the name last. */
  move(from: string, to: string, options?: MoveOptions): Promise<void>;
  /**
   * Removes a file, or a directory with all that is in it, following no links. Nothing there: nothing done. When this resolves it
   * stays away: what is removed next never goes before it.
   */
  remove(path: string, options?: ChangeOptions): Promise<void>;
  /**
   * Removes a directory with all directories in it if there is no file in any of them; tells whether it is gone. A file that comes into
   * one at the same time stays.
   */
  removeEmpty(path: string): Promise<boolean>;
  /**
   * Sets a file's modification time to now, as a sign that it is wanted, instead of writing it again: when this resolves its bytes and
   * names last, whoever wrote them. The time need not. Nothing there: nothing done. Not `durable`: the time alone is set.
   */
  touch(path: string, options?: ChangeOptions): Promise<void>;
  /**
   * A file that grows at its end and is hashed as it grows; made if it is not there. Bytes that are there already are hashed
   * again before this resolves. One at a time for a path.
   */
  receive(path: string, algorithm: DigestAlgorithm): Promise<AppendFile>;
  /** Bytes free and in all, where the store has a limit. `undefined`: nothing is there that could be asked. */
  space?(): Promise<{ readonly free: number; readonly total: number } | undefined>;
  /** Whether nothing is written any more, since what was written could not be brought to the disk. Only a new start ends that. */
  stopped?(): boolean;
  /**
   * Ask it before anything follows from something not being there.
   * @throws DrayError `DISK` where the store itself is not there at the moment: its disk was unmounted
   */
  refuseGone?(): Promise<void>;
  /** @throws DrayError where that is so, or where nothing is at a path because a link on the way leads to a disk that is not mounted, or in circles */
  refuseBrokenLink?(path: string): Promise<void>;
  /** Lets go of locks, threads and open files. */
  close(): Promise<void>;
}

export interface ChangeOptions {
  /** `false`: a power cut may undo it, a kill not; that saves the wait for the disk. Default `true`. */
  readonly durable?: boolean;
}

export interface WriteOptions extends ChangeOptions {
  /** What must come first: the file gets its name when this resolves. The bytes are brought to the disk meanwhile. If it rejects, nothing was written. */
  readonly after?: Promise<unknown> | undefined;
}

export interface MoveOptions {
  /** The file is all there is in its directory, which may go with it. Default `false`. */
  readonly alone?: boolean;
}

export interface Facts {
  readonly size: number;
  /** Milliseconds since 1970, as fine as the store has it. */
  readonly mtime: number;
  /** Another value for another file under the same name. */
  readonly ino: number;
  readonly directory: boolean;
}

/** Tells whether a file or directory is still the one that was seen. */
export type FileVersion = Pick<Facts, "mtime" | "ino">;

export const sameVersion = (a: FileVersion | undefined, b: FileVersion | undefined): boolean =>
  a?.mtime === b?.mtime && a?.ino === b?.ino;

/**
 * Whether something may have changed after a look and left the same time: file systems count in ticks of a clock that is up to
 * 10 ms coarse, some in whole seconds or two.
 * @param at when it was looked at
 */
export const isRacy = (version: FileVersion | undefined, at: number): boolean =>
  version !== undefined && Math.abs(at - version.mtime) <= (version.mtime % 1000 === 0 ? 2020 : 20);

/** A file that is open for reading. It reads what it held when it was opened, also when its name goes meanwhile. */
export interface StoredFile {
  readonly size: number;
  /** Fills `into` from `position` on; tells how many bytes there were, fewer only at the end of the file. */
  read(into: Uint8Array, position: number): Promise<number>;
  close(): Promise<void>;
}

/** An empty name, `.` or `..` between slashes or at an end: also an absolute path and none at all. */
const wrong = /(?:^|\/)\.{0,2}(?:\/|$)/;

/**
 * The last defence: whoever makes a path has checked the names in it. What leads out of the store, or is written in two ways, is
 * refused whatever the system would make of it.
 * @throws DrayError `LOCATION_INVALID`
 */
export const checkPath = (path: string): void => {
  if (wrong.test(path) || path.includes("\0"))
    throw new DrayError("LOCATION_INVALID", `"${path}" is no path inside a registry's storage`);
};
