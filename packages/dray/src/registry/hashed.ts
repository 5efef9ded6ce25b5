import type { Content } from "../content/index.ts";
import { type AsyncDigester, digesterFor } from "../hash/index.ts";
import type { Digest, DigestAlgorithm } from "../oci/index.ts";

/** Content that is hashed on its way, each byte once, wherever it is opened. */
export interface HashedContent extends Content {
  /** The digest and the size of the whole. Asked for once, when the content has been read to its end. */
  result(): Promise<{ readonly digest: Digest; readonly size: number }>;
  /** Lets go of the hash. */
  abandon(): void;
}

/**
 * Hashes content whose digest is to be known when it has been sent. Opened again before the point that the hash has
 * reached, it passes the bytes up to there unhashed; opened beyond it, as when an upload of another process goes on, it
 * reads what lies between for the hash alone. The content must be the same each time.
 */
export const hashedContent = (content: Content, algorithm: DigestAlgorithm): HashedContent => {
  const hash: AsyncDigester = digesterFor(algorithm, content.size);
  let hashed = 0;
  return {
    ...(content.size === undefined ? {} : { size: content.size }),
    ...(content.handsOver === undefined ? {} : { handsOver: content.handsOver }),
    open: async function* ({ offset = 0, signal } = {}) {
      let at = Math.min(offset, hashed);
      const options = { offset: at, ...(signal === undefined ? {} : { signal }) };
      for await (const chunk of content.open(options)) {
        const end = at + chunk.byteLength;
        if (end > hashed) await hash.update(at >= hashed ? chunk : chunk.subarray(hashed - at));
        hashed = Math.max(hashed, end);
        if (end > offset) yield at >= offset ? chunk : chunk.subarray(offset - at);
        at = end;
      }
    },
    result: async () => ({ digest: await hash.digest(), size: hashed }),
    abandon: () => hash.abandon(),
  };
};
