import { dirname } from "node:path";
import { type Content, digestMismatch, type OnEvent, sizeMismatch } from "../content/index.ts";
import { throwIfAborted } from "../errors.ts";
import { blockSize, giveBlock, takeBlock } from "../hash/index.ts";
import { algorithmOf, type Descriptor, type Digest } from "../oci/index.ts";
import { syncDirectory } from "./atomic.ts";
import { errnoOf, onDisk } from "./disk-error.ts";
import type { FileSystem, OpenFile } from "./file-system.ts";
import { type HashedWriter, hashedWriter } from "./hashed-writer.ts";

/** Where content lies while it is unfinished, and when it is whole and checked. Both on one file system. */
export interface Landing {
  readonly partial: string;
  readonly path: string;
}

export interface ReceiveOptions {
  /** Waits until content and name are on the disk. Default: the system writes them when it likes. */
  readonly sync?: boolean;
  readonly signal?: AbortSignal;
  /** Hears when there was nothing left to ask the content for, which else tells itself where it begins. */
  readonly onEvent?: OnEvent;
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

interface Received {
  readonly size: number;
  readonly digest: Digest;
  /** Some of the bytes are of an earlier attempt. */
  readonly resumed: boolean;
}

const isWrong = ({ size, digest }: Received, descriptor: Descriptor): boolean =>
  size !== descriptor.size || digest !== descriptor.digest;

/** Brings a partial file to the end of the content. */
const fill = async (
  fs: FileSystem,
  content: Content,
  descriptor: Descriptor,
  partial: string,
  { sync = false, signal, onEvent }: ReceiveOptions,
): Promise<Received> => {
  const { digest, size } = descriptor;
  const file = await openPartial(fs, partial);
  const handsOver = content.handsOver === true;
  const writer = hashedWriter(file, { algorithm: algorithmOf(digest), size, position: 0, handsOver });
  try {
    const there = await hashThere({ file, partial, writer, size, signal });
    const at = there === size ? there : await append({ file, partial, writer, size, signal }, content, there);
    if (sync) await onDisk("write", partial, () => file.sync());
    const found = await writer.digest();
    if (there === size && size > 0 && found === digest) onEvent?.({ type: "start", descriptor, offset: size });
    return { size: at, digest: found, resumed: there > 0 };
  } finally {
    writer.abandon();
    await onDisk("write", partial, () => file.close());
  }
};

const openPartial = (fs: FileSystem, partial: string): Promise<OpenFile> =>
  onDisk("open", partial, async () => {
    try {
      return await fs.open(partial, "r+");
    } catch (error) {
      if (errnoOf(error) !== "ENOENT") throw error;
      return fs.open(partial, "wx+");
    }
  });

/** A partial file that is worked on. */
interface Filling {
  readonly file: OpenFile;
  readonly partial: string;
  readonly writer: HashedWriter;
  /** What it should come to. */
  readonly size: number;
  readonly signal: AbortSignal | undefined;
}

/** Hashes the bytes of an earlier attempt. Tells how many there are to go on from. */
const hashThere = async ({ file, partial, writer, size, signal }: Filling): Promise<number> => {
  const there = (await onDisk("read", partial, () => file.stat())).size;
  if (there > size) await onDisk("write", partial, () => file.truncate(0));
  if (there === 0 || there > size) return 0;
  const block = takeBlock();
  let at = 0;
  while (at < there) {
    throwIfAborted(signal);
    const { bytesRead } = await onDisk("read", partial, () => file.read(block, 0, Math.min(blockSize, there - at), at));
    if (bytesRead === 0) break;
    await writer.update(block.subarray(0, bytesRead));
    at += bytesRead;
  }
  giveBlock(block.buffer);
  return at;
};

/** Writes and hashes what follows. Tells how many bytes there are then; one chunk too many ends it. */
const append = async ({ partial, writer, size, signal }: Filling, content: Content, from: number): Promise<number> => {
  let at = from;
  try {
    for await (const chunk of content.open({ offset: from, ...(signal === undefined ? {} : { signal }) })) {
      throwIfAborted(signal);
      at += chunk.byteLength;
      if (at > size) break;
      await onDisk("write", partial, () => writer.write(chunk));
    }
  } catch (error) {
    // What arrived is kept for the next attempt. That the disk may refuse too changes nothing about the reason.
    await writer.end().catch(() => {});
    throw error;
  }
  await onDisk("write", partial, () => writer.end());
  return at;
};
