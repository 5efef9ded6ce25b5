import type { Writable } from "node:stream";
import { DrayError } from "../errors.ts";
import { type FileSystem, onDisk, writeFully } from "../files/index.ts";
import type { Outlet } from "./tar-stream.ts";

/** A stream of the process, such as standard output, which stays open. */
export const streamOutlet = (output: Writable, what: string): Outlet => {
  // An error that comes between two writes is told by the next one.
  const noted = (): void => {};
  output.on("error", noted);
  return {
    put: (bytes) => (bytes.byteLength === 0 ? Promise.resolve() : written(output, bytes, what)),
    end: async () => {
      output.off("error", noted);
    },
  };
};

/** A stream whose reader has gone may never drain, and may not call back either. */
const written = (output: Writable, bytes: Uint8Array, what: string): Promise<void> =>
  new Promise((resolve, reject) => {
    const settle = (cause?: unknown, failed = false): void => {
      output.off("close", closed);
      output.off("error", broken);
      if (!failed) resolve();
      else reject(new DrayError("DISK", `cannot write to ${what}: whoever reads it has gone`, { cause }));
    };
    const closed = (): void => settle(undefined, true);
    const broken = (error: unknown): void => settle(error, true);
    output.on("close", closed);
    output.on("error", broken);
    if (output.destroyed) closed();
    else output.write(bytes, (error) => settle(error, error !== undefined && error !== null));
  });

/** A file that has no positions: a named pipe, a terminal. */
export const pipeOutlet = async (fs: FileSystem, path: string): Promise<Outlet> => {
  const file = await onDisk("write", path, () => fs.open(path, "w"));
  return {
    put: (bytes) => onDisk("write", path, () => writeFully(file, bytes, null)),
    end: () => onDisk("write", path, () => file.close()),
  };
};
