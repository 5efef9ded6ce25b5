import { DrayError } from "../errors.ts";
import { type Digest, type DigestAlgorithm, digestOf, isObject, mediaTypes, parseJson } from "../oci/index.ts";

/**
 * The digest of manifest bytes as a registry counts it. That of a signed manifest of Docker's schema 1 is the digest of
 * what was signed: the document without the signatures that stand in its midst, which differ each time it is served.
 * @see https://distribution.github.io/distribution/spec/manifest-v2-1/
 */
export const digestOfManifest = (bytes: Uint8Array, mediaType: string, algorithm?: DigestAlgorithm): Digest =>
  digestOf(mediaType === mediaTypes.dockerSchema1Signed ? signedPart(bytes) : bytes, algorithm);

/** Each signature says how long the part before the signatures is, and what comes after it. */
const signedPart = (bytes: Uint8Array): Uint8Array => {
  const signatures = asObject(parseJson(bytes, "manifest"))["signatures"];
  const [first] = Array.isArray(signatures) ? (signatures as unknown[]) : [];
  const encoded = asObject(first)["protected"];
  const signed = asObject(parseJson(base64url(encoded), "signature of the manifest"));
  const length = signed["formatLength"];
  if (typeof length !== "number" || !Number.isInteger(length) || length < 0 || length > bytes.byteLength)
    throw unsigned();
  return Buffer.concat([bytes.subarray(0, length), base64url(signed["formatTail"])]);
};

const asObject = (value: unknown): Record<string, unknown> => {
  if (!isObject(value)) throw unsigned();
  return value;
};

const base64url = (value: unknown): Uint8Array => {
  if (typeof value !== "string") throw unsigned();
  return Buffer.from(value, "base64url");
};

const unsigned = (): DrayError =>
  new DrayError(
    "MANIFEST_INVALID",
    "the manifest is called a signed one of schema 1, but its signature makes no sense",
  );
