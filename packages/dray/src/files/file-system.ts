import * as node from "node:fs/promises";
import { makeDirectory } from "./make-directory.ts";

/** What Dray asks of a file that is open. */
export interface OpenFile {
  /** The system's own number of it, by which another thread may write, too. Without one, only these functions are called. */
  readonly fd?: number;
  /** `position` null, here and below: the next bytes, which is all that a pipe has. */
  read(
    buffer: Uint8Array,
    offset: number,
    length: number,
    position: number | null,
  ): Promise<{ readonly bytesRead: number }>;
  write(
    buffer: Uint8Array,
    offset: number,
    length: number,
    position: number | null,
  ): Promise<{ readonly bytesWritten: number }>;
  stat(): Promise<FileFacts>;
  truncate(length: number): Promise<void>;
  /** Waits until the content is on the disk. */
  sync(): Promise<void>;
  /** Always call it: both runtimes end the process over a file that is collected while it is open. */
  close(): Promise<void>;
}

export interface FileFacts {
  readonly size: number;
  readonly mtimeMs: number;
  /** Its kind, and who may do what. */
  readonly mode: number;
  readonly ino: number;
  /** Names of it. */
  readonly nlink: number;
  /** The user it belongs to. */
  readonly uid: number;
  readonly gid: number;
  /** Another value for another file system. */
  readonly dev: number;
  isFile(): boolean;
  isDirectory(): boolean;
  isSymbolicLink(): boolean;
}

/** How large the file system is that a path lies on, in blocks. */
export interface SpaceFacts {
  /** Bytes of a block. */
  readonly bsize: number;
  readonly blocks: number;
  /** Blocks that this user may still fill. */
  readonly bavail: number;
}

/**
 * The edge to the file system: the functions of `node:fs/promises` that Dray uses, as an argument, so that a test can let
 * any of them fail.
 */
export interface FileSystem {
  open(path: string, flags: string | number, mode?: number): Promise<OpenFile>;
  readFile(path: string): Promise<Uint8Array>;
  readdir(path: string): Promise<string[]>;
  stat(path: string): Promise<FileFacts>;
  lstat(path: string): Promise<FileFacts>;
  realpath(path: string): Promise<string>;
  /** Rejects where this process may not do what `mode` says, of the constants `R_OK`, `W_OK` and `X_OK` of `node:fs`. */
  access(path: string, mode: number): Promise<void>;
  statfs(path: string): Promise<SpaceFacts>;
  /** Rejects with `EEXIST` where there is something, with `ENOENT` where the directory above is not there. */
  mkdir(path: string): Promise<unknown>;
  /** Makes a directory and what is missing above it, and tells the first it made; `undefined` where it was there. */
  makeDirectory(path: string): Promise<string | undefined>;
  rename(from: string, to: string): Promise<void>;
  unlink(path: string): Promise<void>;
  rmdir(path: string): Promise<void>;
  utimes(path: string, accessed: Date, modified: Date): Promise<void>;
  chown(path: string, uid: number, gid: number): Promise<void>;
}

/** The real file system. */
export const nodeFiles: FileSystem = {
  open: node.open,
  readFile: node.readFile,
  readdir: node.readdir,
  stat: node.stat,
  lstat: node.lstat,
  realpath: node.realpath,
  access: node.access,
  statfs: node.statfs,
  mkdir: node.mkdir,
  makeDirectory,
  rename: node.rename,
  unlink: node.unlink,
  rmdir: node.rmdir,
  utimes: node.utimes,
  chown: node.chown,
};
