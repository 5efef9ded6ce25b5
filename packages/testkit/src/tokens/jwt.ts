import { sign, X509Certificate } from "node:crypto";
import type { Access } from "./types.ts";

/** What signs tokens that a real registry checks by its `rootcertbundle`. */
export interface TokenSigner {
  /** As in the registry's configuration, `auth.token.issuer`. */
  readonly issuer: string;
  /** PEM of a P-256 key. */
  readonly key: string;
  /** PEM of its certificate, which is sent along (`x5c`): the bundle holds it or its CA. */
  readonly cert: string;
}

export interface TokenClaims {
  readonly subject: string;
  readonly audience: string;
  readonly access: readonly Access[];
  /** Milliseconds since 1970. */
  readonly issuedAt: number;
  readonly expiresAt: number;
  readonly id: string;
}

/**
 * A JWT as CNCF distribution takes it, signed with ES256.
 * @see https://distribution.github.io/distribution/spec/auth/jwt/
 */
export const signToken = ({ issuer, key, cert }: TokenSigner, claims: TokenClaims): string => {
  const seconds = (milliseconds: number): number => Math.floor(milliseconds / 1000);
  const head = encode({ typ: "JWT", alg: "ES256", x5c: [new X509Certificate(cert).raw.toString("base64")] });
  const body = encode({
    iss: issuer,
    sub: claims.subject,
    aud: claims.audience,
    exp: seconds(claims.expiresAt),
    // A registry whose clock is behind must not refuse a token for being too young.
    nbf: seconds(claims.issuedAt) - 10,
    iat: seconds(claims.issuedAt),
    jti: claims.id,
    access: claims.access,
  });
  const signature = sign("sha256", Buffer.from(`${head}.${body}`), { key, dsaEncoding: "ieee-p1363" });
  return `${head}.${body}.${signature.toString("base64url")}`;
};

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");
