import type { Content } from "../content/index.ts";
import { throwIfAborted } from "../errors.ts";
import { type AsyncDigester, blockSize, giveBlock, takeBlock } from "../hash/index.ts";
import { algorithmOf, type Descriptor, type Digest } from "../oci/index.ts";
import { onDisk } from "./disk-error.ts";
import type { OpenFile } from "./file-system.ts";
import { hashedWriter } from "./hashed-writer.ts";

/** A part of an open file in which content comes to lie. */
export interface Destination {
  readonly file: OpenFile;
  /** Its path, for messages. */
  readonly path: string;
  /** Where the content begins. */
  readonly position: number;
  /** Bytes of it that an earlier attempt left. */
  readonly have: number;
}

/** What lies there now, which may be something else than was expected. A size beyond the descriptor's stands for more than that. */
export interface Received {
  readonly size: number;
  readonly digest: Digest;
}

/**
 * Appends to content that an earlier attempt began: the bytes that are there are hashed, the others asked for, hashed and written. Nothing
 * is written behind the size of the descriptor, and what arrived before a failure is kept.
 * @throws DrayError `DISK`, `ABORTED`, and what the content throws
 */
export const receiveInto = async (
  { file, path, position, have }: Destination,
  content: Content,
  { digest, size }: Descriptor,
  signal: AbortSignal | undefined,
): Promise<Received> => {
  const handsOver = content.handsOver === true;
  const writer = hashedWriter(file, { algorithm: algorithmOf(digest), size, position, handsOver });
  try {
    let at = await onDisk("read", path, () => hashRange(writer, file, { position, size: have, signal }));
    if (at === size) return { size, digest: await writer.digest() };
    try {
      for await (const chunk of content.open({ offset: at, ...(signal === undefined ? {} : { signal }) })) {
        throwIfAborted(signal);
        at += chunk.byteLength;
        if (at > size) break;
        await onDisk("write", path, () => writer.write(chunk));
      }
    } catch (error) {
      // That the disk may refuse too changes nothing about the reason.
      await writer.end().catch(() => {});
      throw error;
    }
    await onDisk("write", path, () => writer.end());
    return { size: at, digest: await writer.digest() };
  } finally {
    writer.abandon();
  }
};

/** Adds bytes of a file to a hash. Tells how many there were, fewer where it ends. */
export const hashRange = async (
  hash: Pick<AsyncDigester, "update">,
  file: OpenFile,
  {
    position,
    size,
    signal,
  }: { readonly position: number; readonly size: number; readonly signal: AbortSignal | undefined },
): Promise<number> => {
  if (size === 0) return 0;
  const block = takeBlock();
  let at = 0;
  while (at < size) {
    throwIfAborted(signal);
    const { bytesRead } = await file.read(block, 0, Math.min(blockSize, size - at), position + at);
    if (bytesRead === 0) break;
    await hash.update(block.subarray(0, bytesRead));
    at += bytesRead;
  }
  giveBlock(block.buffer);
  return at;
};
