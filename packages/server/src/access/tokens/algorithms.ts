import { isObject } from "dray/oci";

/** The algorithms distribution takes. `none` is no algorithm. */
export const algorithms: readonly string[] =
  "EdDSA Ed25519 RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 ES512 HS256 HS384 HS512".split(" ");

const curves: Readonly<Record<string, readonly string[]>> = {
  "P-256": ["ES256"],
  "P-384": ["ES384"],
  "P-521": ["ES512"],
  Ed25519: ["EdDSA", "Ed25519"],
};

/**
 * What a key can verify, by its own kind and never by what a token says: a public RSA key is no secret for HS256, whoever signs with
 * it. Nothing for keys that are for something else.
 */
export const algorithmsOf = (jwk: unknown): readonly string[] => {
  if (!isObject(jwk) || (jwk["use"] !== undefined && jwk["use"] !== "sig")) return [];
  const operations = jwk["key_ops"];
  if (Array.isArray(operations) && !operations.includes("verify")) return [];
  const able = byKind(jwk);
  return jwk["alg"] === undefined ? able : able.filter((algorithm) => algorithm === jwk["alg"]);
};

/** RFC 7518, section 3.3. */
const leastRsaBytes = 256;

const byKind = ({ kty, crv, k, n }: Readonly<Record<string, unknown>>): readonly string[] => {
  if (kty === "RSA")
    return bytesOf(n) < leastRsaBytes ? [] : algorithms.filter((algorithm) => /^[RP]S/.test(algorithm));
  if (kty === "EC" || kty === "OKP")
    return (typeof crv === "string" && Object.hasOwn(curves, crv) && curves[crv]) || [];
  if (kty !== "oct") return [];
  // A secret shorter than the hash is refused: RFC 7518, section 3.2.
  const bits = bytesOf(k) * 8;
  return algorithms.filter((algorithm) => algorithm.startsWith("HS") && Number(algorithm.slice(2)) <= bits);
};

const bytesOf = (text: unknown): number => (typeof text === "string" ? Buffer.from(text, "base64url").byteLength : 0);
