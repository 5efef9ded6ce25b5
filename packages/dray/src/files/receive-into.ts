import { type Content, detach, isTransferring } from "../content/index.ts";
import { throwIfAborted } from "../errors.ts";
import { worthItsThread } from "../hash/index.ts";
import { algorithmOf, type Descriptor, type Digest } from "../oci/index.ts";
import { appendFile } from "./append-file/index.ts";
import type { OpenFile } from "./file-system.ts";

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
  const algorithm = algorithmOf(digest);
  const options = { algorithm, position, there: have, keepOpen: true, signal };
  const growing = await appendFile(
    file,
    path,
    worthItsThread(algorithm, size) ? { ...options, threadFrom: 0 } : options,
  );
  try {
    const isOurs = isTransferring(content);
    let at = have;
    if (at < size)
      for await (const chunk of content.open({ offset: at, ...(signal === undefined ? {} : { signal }) })) {
        throwIfAborted(signal);
        at += chunk.byteLength;
        if (at > size) break;
        await growing.append(chunk);
        if (isOurs) detach(chunk);
      }
    return { size: at, digest: await growing.digest() };
  } finally {
    // What arrived is written. That the disk may refuse too changes nothing about the reason of a failure.
    await growing.close().catch(() => {});
  }
};
