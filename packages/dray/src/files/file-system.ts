import * as node from "node:fs/promises";

/** What Dray asks of a file that is open. */
export interface OpenFile {
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
  isFile(): boolean;
  isDirectory(): boolean;
  isSymbolicLink(): boolean;
}

/**
 * The edge to the file system: the functions of `node:fs/promises` that Dray uses, as an argument, so that a test can let
 * any of them fail.
 */
export interface FileSystem {
  open(path: string, flags: string, mode?: number): Promise<OpenFile>;
  readFile(path: string): Promise<Uint8Array>;
  readdir(path: string): Promise<string[]>;
  stat(path: string): Promise<FileFacts>;
  lstat(path: string): Promise<FileFacts>;
  realpath(path: string): Promise<string>;
  mkdir(path: string, options: { recursive: true }): Promise<string | undefined>;
  rename(from: string, to: string): Promise<void>;
  unlink(path: string): Promise<void>;
  rmdir(path: string): Promise<void>;
  utimes(path: string, accessed: Date, modified: Date): Promise<void>;
}

/** The real file system. */
export const nodeFiles: FileSystem = {
  open: node.open,
  readFile: node.readFile,
  readdir: node.readdir,
  stat: node.stat,
  lstat: node.lstat,
  realpath: node.realpath,
  mkdir: node.mkdir,
  rename: node.rename,
  unlink: node.unlink,
  rmdir: node.rmdir,
  utimes: node.utimes,
};
