import type { Yielding } from "dray/internal/async";
import { digesterFor } from "dray/internal/hash";
import type { Digest, DigestAlgorithm } from "dray/oci";
import type { StoredFile } from "../storage/index.ts";

/** Bytes read at a time. */
const block = 1024 * 1024;

/** The digest that an open file has, read to its end with rests in between; the file is closed in any case. */
export const hashFile = async (
  file: StoredFile,
  algorithm: DigestAlgorithm,
  yielding: Pick<Yielding, "turn">,
  onRead: (bytes: number) => Promise<void> | void = () => {},
): Promise<Digest> => {
  const digester = digesterFor(algorithm, file.size);
  const into = new Uint8Array(Math.max(1, Math.min(block, file.size)));
  try {
    for (let position = 0; position < file.size; ) {
      const bytes = await file.read(into, position);
      // Cut off while it is read: what was hashed will not fit its name.
      if (bytes === 0) break;
      await digester.update(into.subarray(0, bytes));
      position += bytes;
      await onRead(bytes);
      await yielding.turn();
    }
    return await digester.digest();
  } finally {
    digester.abandon();
    await file.close();
  }
};
