import { join } from "node:path";
import { algorithmOf, type Digest, hexOf } from "../oci/index.ts";

/** Where things lie in a layout. @see https://github.com/opencontainers/image-spec/blob/main/image-layout.md */
export interface LayoutPaths {
  readonly dir: string;
  /** Says that this is a layout, and of which version. */
  readonly marker: string;
  readonly index: string;
  /** Everything unfinished, and the lock of whoever writes. Other tools do not look here. */
  readonly unfinished: string;
  readonly lock: string;
  blobs(digest: Digest): string;
  blob(digest: Digest): string;
  partial(digest: Digest): string;
}

export const layoutPaths = (dir: string): LayoutPaths => {
  const unfinished = join(dir, ".dray");
  const blobs = (digest: Digest): string => join(dir, "blobs", algorithmOf(digest));
  return {
    dir,
    marker: join(dir, "oci-layout"),
    index: join(dir, "index.json"),
    unfinished,
    lock: join(unfinished, "layout"),
    blobs,
    blob: (digest) => join(blobs(digest), hexOf(digest)),
    partial: (digest) => join(unfinished, `${algorithmOf(digest)}-${hexOf(digest)}.part`),
  };
};
