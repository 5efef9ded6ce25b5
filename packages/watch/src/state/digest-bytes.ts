import type { SQLOutputValue } from "node:sqlite";
import { algorithmOf, type Digest, type DigestAlgorithm, hexOf } from "dray/oci";

/** For ever: they lie in files. */
const algorithms: readonly DigestAlgorithm[] = ["sha256", "sha512"];

/** A digest as it lies in the file: a byte for the algorithm, then the hash. Half of its text. */
export const digestBytes = (digest: Digest): Uint8Array => {
  const bytes = Buffer.alloc(1 + hexOf(digest).length / 2);
  bytes[0] = algorithms.indexOf(algorithmOf(digest));
  bytes.write(hexOf(digest), 1, "hex");
  return bytes;
};

/** The digest in a column; `undefined` where there is none. */
export const digestIn = (value: SQLOutputValue | undefined): Digest | undefined => {
  if (!(value instanceof Uint8Array)) return undefined;
  const hex = Buffer.from(value.buffer, value.byteOffset + 1, value.byteLength - 1).toString("hex");
  return `${algorithms[value[0] ?? 0]}:${hex}` as Digest;
};
