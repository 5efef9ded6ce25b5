import { join } from "node:path";
import type { Indexes } from "../content/index.ts";
import { type FileSystem, ifThere, onDisk, readFully } from "../files/index.ts";
import type { Digest } from "../oci/index.ts";
import { nameOf } from "./names.ts";
import { isOurs } from "./own-file.ts";
import type { PartFile } from "./part-file.ts";

/** What indexes need of the cache that they lie in. */
export interface IndexedCache {
  readonly directory: string;
  readonly limit: number;
  readonly files: FileSystem;
  readonly begin: () => Promise<PartFile | undefined>;
  /** Says of something that was just used that it was. */
  readonly touch: (path: string) => Promise<void>;
  readonly shrink: () => Promise<void>;
  /** The cache is done without, for a reason. */
  readonly fails: (error: unknown) => void;
  readonly mend: Indexes["mend"];
}

/**
 * Indexes of blobs, each a file beside its blob, or without it: who fetches parts of it needs only the index. What another user has put there is not
 * believed: nothing but the index says that a part is right.
 */
export const keptIndexes = (cache: IndexedCache): Indexes => {
  const { directory, files } = cache;
  const pathOf = ({ digest }: { readonly digest: Digest }): string => join(directory, nameOf(digest, "index"));
  return {
    open: async (blob) => {
      const path = pathOf(blob);
      try {
        const facts = await onDisk("read", path, () => ifThere(() => files.stat(path)));
        if (facts === undefined || !facts.isFile() || !isOurs(facts)) return undefined;
        await cache.touch(path);
        return {
          size: facts.size,
          read: (offset, length) =>
            onDisk("read", path, async () => {
              const file = await files.open(path, "r");
              try {
                // Another user may have put another one there since: of that nothing is read.
                return isOurs(await file.stat()) ? await readFully(file, offset, length) : new Uint8Array(0);
              } finally {
                await file.close();
              }
            }),
        };
      } catch (error) {
        cache.fails(error);
        return undefined;
      }
    },
    begin: async (blob) => {
      const file = cache.limit === 0 ? undefined : await cache.begin();
      let size = 0;
      return (
        file && {
          write: async (bytes) => {
            size += bytes.byteLength;
            if (size <= cache.limit) await file.write(bytes);
          },
          end: async (isWhole) => {
            await file.end(isWhole && size <= cache.limit ? pathOf(blob) : undefined);
            if (isWhole) await cache.shrink();
          },
        }
      );
    },
    remove: async (blob) => {
      const path = pathOf(blob);
      await onDisk("remove", path, () => ifThere(() => files.unlink(path))).catch(cache.fails);
    },
    mend: cache.mend,
  };
};
