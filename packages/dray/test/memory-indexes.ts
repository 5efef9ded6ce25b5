import type { Indexes } from "../src/content/index.ts";
import type { Digest } from "../src/oci/index.ts";

/** Indexes in memory, which a test can look into and damage. */
export const memoryIndexes = (): Indexes & { readonly kept: Map<Digest, Uint8Array>; readonly removed: Digest[] } => {
  const kept = new Map<Digest, Uint8Array>();
  const removed: Digest[] = [];
  return {
    kept,
    removed,
    open: async ({ digest }) => {
      const found = kept.get(digest);
      return (
        found && {
          size: found.byteLength,
          read: async (offset, length) => (kept.get(digest) ?? new Uint8Array(0)).slice(offset, offset + length),
        }
      );
    },
    begin: async ({ digest }) => {
      const parts: Uint8Array[] = [];
      return {
        write: async (bytes) => void parts.push(bytes.slice()),
        end: async (isWhole) => void (isWhole && kept.set(digest, new Uint8Array(Buffer.concat(parts)))),
      };
    },
    remove: async ({ digest }) => {
      kept.delete(digest);
      removed.push(digest);
    },
    mend: async () => false,
  };
};
