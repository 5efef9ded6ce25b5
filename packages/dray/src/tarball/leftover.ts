import { throwIfAborted } from "../errors.ts";
import type { OpenFile } from "../files/index.ts";
import { type AsyncDigester, digesterFor } from "../hash/index.ts";
import { algorithmOf } from "../oci/index.ts";
import { blockSize, giveBlock, takeBlock } from "../threads/index.ts";
import type { Extent } from "./extents.ts";

/** What an earlier attempt left in an extent: all of it, checked; or so many bytes from the beginning, to be checked at the end. */
export type Leftover = { readonly whole: true } | { readonly whole: false; readonly have: number };

/**
 * Finds how much was written: up to the last byte that is not zero, since bodies are written from the start on and in turn.
 * Content may itself end in zeros, so near the end its digest decides.
 */
export const examine = async (file: OpenFile, extent: Extent, signal: AbortSignal | undefined): Promise<Leftover> => {
  const written = await lastWritten(file, extent, signal);
  if (extent.size - written > blockSize) return { whole: false, have: written };
  const hash = digesterFor(algorithmOf(extent.digest), extent.size);
  try {
    await hashBytes(hash, file, extent, signal);
    if ((await hash.digest()) === extent.digest) return { whole: true };
  } finally {
    hash.abandon();
  }
  return { whole: false, have: written === extent.size ? 0 : written };
};

const hashBytes = async (
  hash: AsyncDigester,
  file: OpenFile,
  extent: Extent,
  signal: AbortSignal | undefined,
): Promise<void> => {
  const block = takeBlock();
  for (let at = 0; at < extent.size; ) {
    throwIfAborted(signal);
    const { bytesRead } = await file.read(block.bytes, 0, Math.min(blockSize, extent.size - at), extent.body + at);
    // Shorter than its headers promise: the digest will tell.
    if (bytesRead === 0) break;
    await hash.update(block.bytes.subarray(0, bytesRead));
    at += bytesRead;
  }
  giveBlock(block);
};

const zeros = new Uint8Array(blockSize);

const lastWritten = async (file: OpenFile, extent: Extent, signal: AbortSignal | undefined): Promise<number> => {
  const block = takeBlock();
  let found = 0;
  for (let end = extent.size; end > 0 && found === 0; end -= Math.min(blockSize, end)) {
    throwIfAborted(signal);
    const start = Math.max(0, end - blockSize);
    const { bytesRead } = await file.read(block.bytes, 0, end - start, extent.body + start);
    const part = block.bytes.subarray(0, bytesRead);
    if (Buffer.compare(part, zeros.subarray(0, bytesRead)) !== 0)
      found = start + part.findLastIndex((byte) => byte !== 0) + 1;
  }
  giveBlock(block);
  return found;
};
