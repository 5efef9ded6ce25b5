import { type Content } from "dray/content";
import { type Descriptor, type DigestAlgorithm } from "dray/oci";
/**
 * `length` bytes of the endless stream that belongs to a seed, from `offset` on. The same everywhere and for ever, and
 * incompressible: it is AES-CTR over zeros, where the counter makes any offset reachable at once.
 */
export declare const seededBytes: (seed: string, length: number, offset?: number) => Uint8Array<ArrayBuffer>;
/**
 * Content of any size that takes no memory: made as it is read.
 * @example registry.addContent("big/one", await describe(syntheticContent("a", 3 * 2 ** 30)))
 */
export declare const syntheticContent: (seed: string, size: number) => Content;
/** Reads content once to learn its size and digest. */
export declare const describe: (
  content: Content,
  {
    mediaType,
    algorithm,
  }?: {
    mediaType?: string;
    algorithm?: DigestAlgorithm;
  },
) => Promise<{
  descriptor: Descriptor;
  content: Content;
}>;
