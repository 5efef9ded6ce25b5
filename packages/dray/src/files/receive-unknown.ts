import { dirname } from "node:path";
import { type Content, detach, isTransferring } from "../content/index.ts";
import { throwIfAborted } from "../errors.ts";
import { type Digest, type DigestAlgorithm } from "../oci/index.ts";
import { appendFile } from "./append-file/index.ts";
import { onDisk } from "./disk-error.ts";
import type { FileSystem } from "./file-system.ts";
import type { Received } from "./receive-into.ts";

/** Where content lies while nobody knows its digest, and where it comes to lie by that. All on one file system. */
export interface UnknownLanding {
  /** A file that is not there yet. */
  readonly partial: string;
  readonly path: (digest: Digest) => string;
}

/**
 * Writes content to a file that gets its name by the digest that the content turns out to have. Whatever stops it, nothing stays: what is made on
 * the way cannot be gone on with.
 * @throws DrayError `DISK`, `ABORTED`, and what the content throws
 */
export const receiveUnknown = async (
  fs: FileSystem,
  content: Content,
  { partial, path }: UnknownLanding,
  { algorithm = "sha256", signal }: { readonly algorithm?: DigestAlgorithm; readonly signal?: AbortSignal } = {},
): Promise<Received> => {
  throwIfAborted(signal);
  const file = await onDisk("open", partial, () => fs.open(partial, "wx+"));
  try {
    // How much will come is not known: a thread is worth it.
    const growing = await appendFile(file, partial, { algorithm, there: 0, threadFrom: 8 * 1024 * 1024 });
    let received: Received;
    try {
      const isOurs = isTransferring(content);
      for await (const chunk of content.open({ signal })) {
        throwIfAborted(signal);
        await growing.append(chunk);
        if (isOurs) detach(chunk);
      }
      received = { size: await growing.flush(), digest: await growing.digest() };
    } finally {
      await growing.close();
    }
    const to = path(received.digest);
    await onDisk("make the directory", dirname(to), () => fs.makeDirectory(dirname(to)));
    await onDisk("write", to, () => fs.rename(partial, to));
    return received;
  } catch (error) {
    await fs.unlink(partial).catch(() => {});
    throw error;
  }
};
