import { isDrayError } from "dray/errors";
import { Yielding } from "dray/internal/async";
import { digesterFor } from "dray/internal/hash";
import { algorithmOf, type Digest } from "dray/oci";
import type { Tree } from "../distribution-tree/index.ts";
import type { StoredFile } from "../storage/index.ts";

/** Milliseconds of work before a rest. */
const slice = 4;
/** Bytes read at a time. */
const block = 1024 * 1024;

export interface VerifyOptions {
  readonly tree: Tree;
  /** Goes on behind this digest. */
  readonly after?: Digest;
  readonly signal?: AbortSignal;
  /** Part of the time that may be worked. Default 1/2. */
  readonly share?: number;
  readonly onFinding?: (finding: Finding) => void;
  /** Hears of each blob when it is done. */
  readonly onBlob?: (digest: Digest, bytes: number) => void;
}

/** A blob that is not what its name says. */
export interface Finding {
  readonly digest: Digest;
  /** `wrong`: its bytes have another digest. `unreadable`: the store failed. */
  readonly what: "wrong" | "unreadable";
  readonly size?: number;
  /** What the bytes hash to. */
  readonly actual?: Digest;
  readonly message: string;
}

export interface Verified {
  /** Read whole. */
  readonly blobs: number;
  readonly bytes: number;
  readonly wrong: number;
  readonly unreadable: number;
  readonly seconds: number;
}

/** Hashes every blob of the pool and tells of those that are wrong or cannot be read. Removes nothing. */
export const verifyBlobs = async (options: VerifyOptions): Promise<Verified> => {
  const { tree, after, signal, share = 1 / 2, onFinding, onBlob } = options;
  const begun = performance.now();
  const yielding = new Yielding({ slice, share, signal });
  const into = new Uint8Array(block);
  const counts = { blobs: 0, bytes: 0, wrong: 0, unreadable: 0 };
  const found = (finding: Finding): void => {
    counts[finding.what]++;
    onFinding?.(finding);
  };
  for await (const digest of tree.blobs(after)) {
    try {
      const file = await tree.openBlob(digest);
      // Removed since its folder was listed.
      if (file === undefined) continue;
      const { size } = file;
      const actual = await hash(file, digest, into, yielding);
      counts.blobs++;
      counts.bytes += size;
      if (actual !== digest)
        found({ digest, what: "wrong", size, actual, message: `its ${size} bytes have the digest ${actual}` });
      onBlob?.(digest, size);
    } catch (error) {
      if (!isDrayError(error, "DISK")) throw error;
      found({ digest, what: "unreadable", message: error.message });
    }
    await yielding.turn();
  }
  return { ...counts, seconds: (performance.now() - begun) / 1000 };
};

const hash = async (file: StoredFile, digest: Digest, into: Uint8Array, yielding: Yielding): Promise<Digest> => {
  const digester = digesterFor(algorithmOf(digest), file.size);
  try {
    for (let position = 0; position < file.size; ) {
      const bytes = await file.read(into, position);
      // Cut off while it is read: what was hashed will not fit its name.
      if (bytes === 0) break;
      await digester.update(into.subarray(0, bytes));
      position += bytes;
      await yielding.turn();
    }
    return await digester.digest();
  } finally {
    digester.abandon();
    await file.close();
  }
};
