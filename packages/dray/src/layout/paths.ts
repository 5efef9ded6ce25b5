import { join } from "node:path";
import { algorithmOf, type Digest, hexOf } from "../oci/index.ts";
import { blobFile } from "./files.ts";

/** Where things lie in a layout. @see https://github.com/opencontainers/image-spec/blob/main/image-layout.md */
export interface LayoutPaths {
  readonly dir: string;
  /** Everything unfinished, and the lock of whoever writes. Other tools do not look here. */
  readonly unfinished: string;
  readonly lock: string;
  blob(digest: Digest): string;
  partial(digest: Digest): string;
  /** Of what has no digest yet: nobody goes on with it, so the next writer takes it away. */
  unnamed(number: number): string;
}

export const layoutPaths = (dir: string): LayoutPaths => {
  const unfinished = join(dir, ".dray");
  return {
    dir,
    unfinished,
    lock: join(unfinished, "layout"),
    blob: (digest) => join(dir, blobFile(digest)),
    partial: (digest) => join(unfinished, `${algorithmOf(digest)}-${hexOf(digest)}.part`),
    unnamed: (number) => join(unfinished, `unnamed-${number}.tmp`),
  };
};
