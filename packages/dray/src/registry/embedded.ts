import type { ReadOptions } from "../content/index.ts";
import { algorithmOf, type Descriptor, digestOf } from "../oci/index.ts";

/**
 * The bytes that a descriptor itself carries in `data`, which saves the request. Bytes that it does not stand for are
 * passed over: they are read from where they belong, and checked there.
 * @see https://github.com/opencontainers/image-spec/blob/main/descriptor.md#embedded-content
 */
export const embedded = (
  descriptor: Descriptor,
  { offset = 0 }: ReadOptions,
): AsyncIterable<Uint8Array> | undefined => {
  const { data, size, digest } = descriptor;
  if (typeof data !== "string") return undefined;
  const bytes = new Uint8Array(Buffer.from(data, "base64"));
  if (bytes.byteLength !== size || digestOf(bytes, algorithmOf(digest)) !== digest) return undefined;
  return from(bytes.subarray(offset));
};

async function* from(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  if (bytes.byteLength > 0) yield bytes;
}
