import { isDrayError } from "dray/errors";
import type { KeyedRwLock, Yielding } from "dray/internal/async";
import { algorithmOf, type Digest } from "dray/oci";
import { type Blobs, hashFile } from "../blobs/index.ts";
import type { Tree } from "../distribution-tree/index.ts";
import type { Facts } from "../storage/index.ts";
import type { Pace } from "./pace.ts";
import type { Finding, Sums } from "./types.ts";

export interface DataOptions {
  readonly tree: Tree;
  readonly blobs: Pick<Blobs, "condemn" | "putAside">;
  readonly locks: KeyedRwLock;
  /** Repositories that need a blob; a few of them at least. */
  readonly holders: (digest: Digest) => readonly string[];
  /** Puts damaged data aside. */
  readonly quarantine: boolean;
  readonly sums: Sums;
  readonly pace: Pace;
  readonly yielding: Yielding;
  readonly found: (finding: Finding) => void;
}

/** Hashes what lies in the pool under a digest. What is not what its name says is marked, or put aside; nothing is removed. */
export const verifyData = async (options: DataOptions, digest: Digest): Promise<void> => {
  const { tree, blobs, sums } = options;
  const facts = await tree.blobFacts(digest);
  // Removed since its folder was listed.
  if (facts === undefined) return;
  const reason = await faultOf(options, digest);
  if (reason === undefined) return;
  const { what, said } = reason;
  const isStill = async (): Promise<boolean> => isSame(facts, await tree.blobFacts(digest));
  // A push brought other data meanwhile, or gc took it.
  if (!(await isStill())) return;
  let putAside: string | undefined;
  if (options.quarantine)
    putAside = await options.locks.hold({ exclusive: [digest] }, async () =>
      (await isStill()) ? blobs.putAside(digest) : undefined,
    );
  else if (what === "damaged") await blobs.condemn(digest, facts);
  if (putAside !== undefined) sums.quarantined++;
  const finding = { kind: "data", digest, reason: said, remedy: remedyOf(options, digest, what, putAside) } as const;
  options.found(putAside === undefined ? finding : { ...finding, putAside });
};

interface Fault {
  readonly what: "damaged" | "unreadable";
  readonly said: string;
}

const faultOf = async ({ tree, sums, pace, yielding }: DataOptions, digest: Digest): Promise<Fault | undefined> => {
  try {
    const file = await tree.openBlob(digest);
    if (file === undefined) return undefined;
    const { size } = file;
    const actual = await hashFile(file, algorithmOf(digest), yielding, (bytes) => pace.spend(bytes));
    sums.blobs++;
    sums.bytes += size;
    return actual === digest ? undefined : { what: "damaged", said: `its ${size} bytes have the digest ${actual}` };
  } catch (error) {
    if (!isDrayError(error, "DISK")) throw error;
    return { what: "unreadable", said: error.message };
  }
};

const isSame = (a: Facts, b: Facts | undefined): boolean =>
  b !== undefined && a.size === b.size && a.mtime === b.mtime && a.ino === b.ino;

/** What cannot be read may be read again tomorrow, so it is not marked: only putting it aside has a push replace it. */
const remedyOf = (
  { holders }: DataOptions,
  digest: Digest,
  what: Fault["what"],
  putAside: string | undefined,
): string => {
  const names = holders(digest);
  if (names.length === 0) return "no image needs it: push it again, or leave it to garbage collection";
  const again = `push an image with it again (${names.join(", ")} ${names.length === 1 ? "needs" : "need"} it)`;
  return what === "unreadable" && putAside === undefined ? `look at the disk; --quarantine, then ${again}` : again;
};
