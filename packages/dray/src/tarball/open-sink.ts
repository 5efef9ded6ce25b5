import type { Writable } from "node:stream";
import { unlessAborted } from "../async/index.ts";
import { DrayError, reasonOf } from "../errors.ts";
import { diskError, errnoOf, type FileSystem, ifThere, onDisk, writeFully } from "../files/index.ts";
import type { TarSink } from "./sink.ts";
import { type OpenTarOptions, standardStream } from "./tar-file.ts";
import { TarPart } from "./tar-part.ts";
import { type Outlet, TarStream } from "./tar-stream.ts";

/**
 * Begins a tar: in a file, where bodies lie by position and a later attempt goes on; or, for `-`, a named pipe and other
 * files that have no positions, as a stream.
 * @throws DrayError `LOCKED`, `DISK`, `LOCATION_INVALID`
 */
export const openSink = async (path: string, options: OpenTarOptions): Promise<TarSink> => {
  const outlet = await outletOf(path, options);
  if (outlet !== undefined) return new TarStream(outlet, nameOfOutlet(path));
  return TarPart.open(options.fs, path, options.signal);
};

/** How a stream is called in messages. */
const nameOfOutlet = (path: string): string => (path === standardStream ? "standard output" : path);

/** Where the bytes go when the path stands for a stream; nothing when it is a file or will become one. */
export const outletOf = async (path: string, { fs, output, signal }: OpenTarOptions): Promise<Outlet | undefined> => {
  if (path === standardStream) return streamOutlet(output ?? process.stdout, nameOfOutlet(path));
  const facts = await onDisk("write", path, () => ifThere(() => fs.stat(path)));
  if (facts?.isDirectory())
    throw new DrayError("LOCATION_INVALID", `${path} is a directory; name a file, or write a layout as oci:${path}`);
  return facts === undefined || facts.isFile() ? undefined : pipeOutlet(fs, path, signal);
};

/** A stream of the process, such as standard output, which stays open. */
const streamOutlet = (output: Writable, what: string): Outlet => {
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

const whyNot = (cause: unknown, what: string): string => {
  const error = diskError(cause, "write to", what);
  return reasonOf(error);
};

/** Its cause has the code `EPIPE`, as that of a named pipe, however the stream told of it. */
const readerGone = (what: string, cause: unknown): DrayError =>
  new DrayError("DISK", `cannot write to ${what}: whoever reads it has gone`, {
    cause: Object.assign(new Error("the pipe has no reader", { cause }), { code: "EPIPE" }),
  });

/** A stream whose reader has gone may never drain, and may not call back either. */
const written = (output: Writable, bytes: Uint8Array, what: string): Promise<void> =>
  new Promise((resolve, reject) => {
    const settle = (cause?: unknown, failed = false): void => {
      output.off("close", closed);
      output.off("error", broken);
      if (!failed) resolve();
      else {
        const code = errnoOf(cause);
        const gone = code === undefined || code === "EPIPE" || code === "ECONNRESET";
        reject(gone ? readerGone(what, cause) : new DrayError("DISK", whyNot(cause, what), { cause }));
      }
    };
    const closed = (): void => settle(undefined, true);
    const broken = (error: unknown): void => settle(error, true);
    output.on("close", closed);
    output.on("error", broken);
    if (output.destroyed) closed();
    else output.write(bytes, (error) => settle(error, error !== undefined && error !== null));
  });

/** A file that has no positions: a named pipe, a terminal. A pipe without a reader opens when one comes, or never. */
const pipeOutlet = async (fs: FileSystem, path: string, signal: AbortSignal | undefined): Promise<Outlet> => {
  const opening = fs.open(path, "w");
  const file = await onDisk("write", path, () => unlessAborted(opening, signal)).catch((error: unknown) => {
    opening.then(
      (late) => late.close(),
      () => {},
    );
    throw error;
  });
  return {
    put: (bytes) => onDisk("write", path, () => writeFully(file, bytes, null)),
    end: () => onDisk("write", path, () => file.close()),
  };
};
