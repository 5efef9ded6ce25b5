import type { Writable } from "node:stream";
import { DrayError } from "../errors.ts";
import { type FileSystem, ifThere, onDisk } from "../files/index.ts";
import { pipeOutlet, streamOutlet } from "./outlet.ts";
import type { TarSink } from "./sink.ts";
import { standardStream } from "./tar-file.ts";
import { TarPart } from "./tar-part.ts";
import { type Outlet, TarStream } from "./tar-stream.ts";

export interface OpenSinkOptions {
  readonly fs: FileSystem;
  /** What `-` stands for. Default: standard output. */
  readonly output?: Writable | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Begins a tar: in a file, where bodies lie by position and a later attempt goes on; or, for `-`, a named pipe and other
 * files that have no positions, as a stream.
 * @throws DrayError `LOCKED`, `DISK`, `LOCATION_INVALID`
 */
export const openSink = async (path: string, options: OpenSinkOptions): Promise<TarSink> => {
  const outlet = await outletOf(path, options);
  if (outlet !== undefined) return new TarStream(outlet, nameOfOutlet(path));
  return TarPart.open(options.fs, path, options.signal);
};

/** How a stream is called in messages. */
const nameOfOutlet = (path: string): string => (path === standardStream ? "standard output" : path);

/** Where the bytes go when the path stands for a stream; nothing when it is a file or will become one. */
export const outletOf = async (path: string, { fs, output }: OpenSinkOptions): Promise<Outlet | undefined> => {
  if (path === standardStream) return streamOutlet(output ?? process.stdout, nameOfOutlet(path));
  const facts = await onDisk("write", path, () => ifThere(() => fs.stat(path)));
  if (facts?.isDirectory())
    throw new DrayError("LOCATION_INVALID", `${path} is a directory; name a file, or write a layout as oci:${path}`);
  return facts === undefined || facts.isFile() ? undefined : pipeOutlet(fs, path);
};
