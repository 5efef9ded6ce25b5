import { sign, X509Certificate } from "node:crypto";

/** What signs tokens that a real registry checks by its `rootcertbundle`. */
export interface TokenSigner {
  /** As in the registry's configuration, `auth.token.issuer`. */
  readonly issuer: string;
  /** PEM of a P-256 key. */
  readonly key: string;
  /** PEM of its certificate, which is sent along (`x5c`): the bundle holds it or its CA. */
  readonly cert: string;
}

/**
 * A JWT as CNCF distribution takes it, signed with ES256.
 * @see https://distribution.github.io/distribution/spec/auth/jwt/
 */
export const signToken = ({ issuer, key, cert }: TokenSigner, claims: object): string => {
  const head = encode({ typ: "JWT", alg: "ES256", x5c: [new X509Certificate(cert).raw.toString("base64")] });
  const body = encode({ iss: issuer, ...claims });
  const signature = sign("sha256", Buffer.from(`${head}.${body}`), { key, dsaEncoding: "ieee-p1363" });
  return `${head}.${body}.${signature.toString("base64url")}`;
};

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");
