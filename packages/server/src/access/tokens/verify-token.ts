import { isObject } from "dray/oci";
import type { JWK, JWTPayload } from "jose";
import { trustedLeaf } from "./chain.ts";
import { type Grants, grantsOf } from "./grants.ts";
import { jose } from "./jose.ts";
import { type Key, keyOf, publicJwk } from "./key.ts";
import type { KeyRing } from "./key-ring.ts";

export interface TokenRules {
  readonly issuer: string;
  /** The audience. */
  readonly service: string;
  readonly algorithms: ReadonlySet<string>;
}

/** A token that is right: whose, for what, until when (milliseconds since 1970). */
export interface Holder {
  readonly name: string;
  readonly grants: Grants;
  readonly until: number;
}

/** `unknown key`: another key could verify it. */
export type TokenFault = "unknown key" | "expired" | "invalid";

/** Clocks differ; seconds. */
const leeway = 60;
/** A token without the name of a key is tried with so many at most. */
const mostTried = 20;

/**
 * Verifies a token. The key is one that was configured, or one that a configured root vouches for; what the token brings along
 * only names it. A chain of certificates counts before a key, a key before a name, and what fails is not tried in another way.
 */
export const verifyToken = async (
  token: string,
  { keys, roots }: KeyRing,
  rules: TokenRules,
  now: number,
): Promise<Holder | TokenFault> => {
  const header = await headerOf(token);
  const algorithm = header?.["alg"];
  if (header === undefined || typeof algorithm !== "string" || !rules.algorithms.has(algorithm)) return "invalid";
  const named = await candidates(header, { keys, roots }, now);
  if (named === "invalid") return "invalid";
  const able = named.keys.filter((key) => key.algorithms.includes(algorithm)).slice(0, mostTried);
  for (const key of able) {
    const holder = await verifyWith(key, { token, algorithm, rules, now });
    if (holder === "unknown key") continue;
    return typeof holder === "string" ? holder : { ...holder, until: Math.min(holder.until, named.until) };
  }
  // A name that fits says which key it must be.
  return named.certain && able.length > 0 ? "invalid" : "unknown key";
};

const headerOf = async (token: string): Promise<Readonly<Record<string, unknown>> | undefined> => {
  const { decodeProtectedHeader } = await jose();
  try {
    return decodeProtectedHeader(token) as Readonly<Record<string, unknown>>;
  } catch {
    return undefined;
  }
};

interface Candidates {
  readonly keys: readonly Key[];
  /** Nobody else can have signed it. */
  readonly certain: boolean;
  readonly until: number;
}

const candidates = async (
  header: Readonly<Record<string, unknown>>,
  { keys, roots }: KeyRing,
  now: number,
): Promise<Candidates | "invalid"> => {
  const { x5c, jwk, kid } = header;
  // libtrust puts the chain into the key.
  const chain = x5c ?? (isObject(jwk) ? jwk["x5c"] : undefined);
  if (chain !== undefined) {
    const leaf = trustedLeaf(chain, roots, now);
    const key = leaf && (await quietly(async () => keyOf(publicJwk(leaf.certificate))));
    return key === undefined ? "invalid" : { keys: [key], certain: true, until: leaf?.until ?? 0 };
  }
  const until = Number.POSITIVE_INFINITY;
  const called = (names: readonly unknown[]): Candidates => ({
    keys: keys.filter((key) => key.names.some((name) => names.includes(name))),
    certain: true,
    until,
  });
  if (jwk !== undefined) {
    if (!isObject(jwk)) return "invalid";
    return called([jwk["kid"], await quietly(async () => (await jose()).calculateJwkThumbprint(jwk as JWK, "sha256"))]);
  }
  if (kid !== undefined) return called([kid]);
  return { keys, certain: false, until };
};

const quietly = async <T>(work: () => Promise<T>): Promise<T | undefined> => {
  try {
    return await work();
  } catch {
    return undefined;
  }
};

const verifyWith = async (
  key: Key,
  { token, algorithm, rules, now }: { token: string; algorithm: string; rules: TokenRules; now: number },
): Promise<Holder | TokenFault> => {
  const { errors, jwtVerify } = await jose();
  try {
    const { payload } = await jwtVerify(token, await key.for(algorithm), {
      algorithms: [algorithm],
      issuer: rules.issuer,
      audience: rules.service,
      requiredClaims: ["exp"],
      clockTolerance: leeway,
      currentDate: new Date(now),
    });
    return holderOf(payload);
  } catch (error) {
    if (error instanceof errors.JWSSignatureVerificationFailed) return "unknown key";
    return error instanceof errors.JWTExpired ? "expired" : "invalid";
  }
};

const holderOf = ({ sub = "", exp = 0, access }: JWTPayload): Holder | "invalid" => {
  const grants = grantsOf(access);
  if (grants === undefined || typeof sub !== "string") return "invalid";
  return { name: sub, grants, until: (exp + leeway) * 1000 };
};
