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
  readonly blobs: Pick<Blobs, "condemn" | "putAside" | "sound">;
  readonly locks: KeyedRwLock;
  /** Manifests that need a blob, or are it; a few of them at least. */
  readonly users: (digest: Digest) => readonly User[];
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
  if (reason === "gone") return;
  if (reason === undefined) return blobs.sound(digest);
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
  const finding = { kind: "data", digest, reason: said, remedy: remedyOf(options, digest, reason, putAside) } as const;
  options.found(putAside === undefined ? finding : { ...finding, putAside });
};

/** A manifest of a repository that has a blob among its children, or is it. */
export interface User {
  readonly repository: string;
  readonly manifest: Digest;
}

interface Fault {
  readonly what: "damaged" | "unreadable";
  readonly said: string;
  /** A file that this user may not read. */
  readonly denied?: string | undefined;
}

const faultOf = async (
  { tree, sums, pace, yielding }: DataOptions,
  digest: Digest,
): Promise<Fault | "gone" | undefined> => {
  try {
    const file = await tree.openBlob(digest);
    if (file === undefined) return "gone";
    const { size } = file;
    const actual = await hashFile(file, algorithmOf(digest), yielding, (bytes) => pace.spend(bytes));
    sums.blobs++;
    sums.bytes += size;
    return actual === digest ? undefined : { what: "damaged", said: `its ${size} bytes have the digest ${actual}` };
  } catch (error) {
    if (!isDrayError(error, "DISK")) throw error;
    return { what: "unreadable", said: error.message, denied: deniedIn(error.cause) };
  }
};

/** The file that may not be read, where that is why. */
const deniedIn = (cause: unknown): string | undefined => {
  const { code, path } = (cause ?? {}) as { readonly code?: unknown; readonly path?: unknown };
  if (code !== "EACCES" && code !== "EPERM") return undefined;
  return typeof path === "string" ? path : "FILE";
};

const isSame = (a: Facts, b: Facts | undefined): boolean =>
  b !== undefined && a.size === b.size && a.mtime === b.mtime && a.ino === b.ino;

/** What cannot be read may be read again tomorrow, so it is not marked: only putting it aside has a push replace it. */
const remedyOf = (
  { users }: DataOptions,
  digest: Digest,
  { what, denied }: Fault,
  putAside: string | undefined,
): string => {
  if (denied !== undefined && putAside === undefined) return `give it to the user of this process: ${chown(denied)}`;
  const found = users(digest);
  if (found.length === 0) return "no image needs it: push it again, or leave it to garbage collection";
  const again = pushAgain(digest, found);
  return what === "unreadable" && putAside === undefined ? `look at the disk; --quarantine, then ${again}` : again;
};

const chown = (path: string): string =>
  `chown -R ${process.getuid?.() ?? "USER"}:${process.getgid?.() ?? "GROUP"} ${path}`;

/** A manifest is pushed by its own name, a blob with a manifest that needs it: an index alone brings nothing of its images. */
const pushAgain = (digest: Digest, users: readonly User[]): string => {
  const own = users.find(({ manifest }) => manifest === digest);
  if (own !== undefined) return `push ${own.repository}@${digest} again, or delete it`;
  const names = users.map(({ repository, manifest }) => `${repository}@${manifest}`);
  return `push an image with it again (${names.join(", ")} ${names.length === 1 ? "needs" : "need"} it)`;
};
