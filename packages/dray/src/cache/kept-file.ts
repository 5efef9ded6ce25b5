import { constants } from "node:fs";
import { type Cancel, hashed, passedOver, verified } from "../content/index.ts";
import { type FileFacts, type FileSystem, fileChunks, ifThere, type OpenFile, onDisk } from "../files/index.ts";
import { algorithmOf, type Descriptor } from "../oci/index.ts";
import { isOurs } from "./own-file.ts";

/** What is read of a blob. */
export interface Part extends Cancel {
  /** First byte. */
  readonly offset?: number | undefined;
  /** Bytes of a part, which whoever reads it checks. Default: all, checked here. */
  readonly length?: number | undefined;
}

/** The open file of a blob in a directory that others share: what is read is what was hashed, whatever comes to lie under its name meanwhile. */
export interface KeptFile {
  /** @throws DrayError `DIGEST_MISMATCH` at the end, where somebody else wrote into it meanwhile */
  chunks(): AsyncIterable<Uint8Array>;
  close(): Promise<void>;
}

/** Nobody waits at a pipe, where the system can be told so. */
const reading = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);

/** Opens the file of a blob, if it is there and is what the descriptor says: by its digest, or by its size where a part is wanted. */
export const openKept = async (
  files: FileSystem,
  path: string,
  descriptor: Descriptor,
  { offset = 0, length, signal }: Part,
): Promise<KeptFile | "absent" | "damaged"> => {
  const { digest, size } = descriptor;
  const file = await onDisk("read", path, () => ifThere(() => files.open(path, reading)));
  if (file === undefined) return "absent";
  const whole = { start: 0, end: size, signal };
  const close = (): Promise<void> => onDisk("read", path, () => file.close());
  try {
    const facts = await file.stat();
    if (!(await isRight(file, facts))) return await close().then(() => "damaged");
    return {
      close,
      chunks: () => {
        if (length !== undefined)
          return fileChunks(file, path, { start: offset, end: Math.min(size, offset + length), signal });
        return isOurs(facts)
          ? fileChunks(file, path, { ...whole, start: offset })
          : passedOver(offset, verified(fileChunks(file, path, whole), descriptor));
      },
    };
  } catch (error) {
    await close().catch(() => {});
    throw error;
  }

  async function isRight(open: OpenFile, facts: FileFacts): Promise<boolean> {
    if (!facts.isFile() || facts.size !== size) return false;
    return length !== undefined || (await hashed(fileChunks(open, path, whole), algorithmOf(digest), size)) === digest;
  }
};
