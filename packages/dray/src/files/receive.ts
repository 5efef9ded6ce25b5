import { dirname } from "node:path";
import { type Content, digestMismatch, type OnEvent, sizeMismatch } from "../content/index.ts";
import { throwIfAborted } from "../errors.ts";
import type { Descriptor } from "../oci/index.ts";
import { syncDirectory } from "./atomic.ts";
import { onDisk } from "./disk-error.ts";
import type { FileSystem } from "./file-system.ts";
import { openPart } from "./open-part.ts";
import { type Received, receiveInto } from "./receive-into.ts";

/** Where content lies while it is unfinished, and when it is whole and checked. Both on one file system. */
export interface Landing {
  readonly partial: string;
  readonly path: string;
}

export interface ReceiveOptions {
  /** Waits until content and name are on the disk. Default: the system writes them when it likes. */
  readonly sync?: boolean;
  readonly signal?: AbortSignal | undefined;
  /** Hears when there was nothing left to ask the content for, which else tells itself where it begins. */
  readonly onEvent?: OnEvent | undefined;
}

/**
 * Writes content to a file, and goes on where an earlier attempt stopped: the bytes that are there are hashed again and only
 * the rest is asked for. Under its final name the file has the size and digest of the descriptor. Whatever stops it, the
 * partial stays, unless its bytes are wrong. Whoever calls this holds a lock over the place.
 * @throws DrayError `DIGEST_MISMATCH`, `SIZE_MISMATCH`, `DISK`, `ABORTED`, and what the content throws
 */
export const receive = async (
  fs: FileSystem,
  content: Content,
  descriptor: Descriptor,
  { partial, path }: Landing,
  options: ReceiveOptions = {},
): Promise<void> => {
  throwIfAborted(options.signal);
  let received = await fill(fs, content, descriptor, partial, options);
  // The old bytes may be at fault: a power failure leaves zeros, another program anything. Once more, from the beginning.
  if (received.resumed && isWrong(received, descriptor)) {
    await onDisk("remove", partial, () => fs.unlink(partial));
    received = await fill(fs, content, descriptor, partial, options);
  }
  if (isWrong(received, descriptor)) {
    await onDisk("remove", partial, () => fs.unlink(partial));
    if (received.size > descriptor.size) throw sizeMismatch(descriptor, "more");
    if (received.size < descriptor.size) throw sizeMismatch(descriptor, `only ${received.size}`);
    throw digestMismatch(descriptor, received.digest);
  }
  await onDisk("write", path, async () => {
    await fs.rename(partial, path);
    if (options.sync === true) await syncDirectory(fs, dirname(path));
  });
};

const isWrong = ({ size, digest }: Received, descriptor: Descriptor): boolean =>
  size !== descriptor.size || digest !== descriptor.digest;

/** Brings a partial file to the end of the content. `resumed`: some of the bytes are of an earlier attempt. */
const fill = async (
  fs: FileSystem,
  content: Content,
  descriptor: Descriptor,
  partial: string,
  { sync = false, signal, onEvent }: ReceiveOptions,
): Promise<Received & { readonly resumed: boolean }> => {
  const { digest, size } = descriptor;
  const file = await onDisk("open", partial, () => openPart(fs, partial));
  try {
    const there = (await onDisk("read", partial, () => file.stat())).size;
    if (there > size) await onDisk("write", partial, () => file.truncate(0));
    const have = there > size ? 0 : there;
    const received = await receiveInto({ file, path: partial, position: 0, have }, content, descriptor, signal);
    if (sync) await onDisk("write", partial, () => file.sync());
    if (have === size && size > 0 && received.digest === digest) onEvent?.({ type: "start", descriptor, offset: size });
    return { ...received, resumed: have > 0 };
  } finally {
    await onDisk("write", partial, () => file.close());
  }
};
