import { createPublicKey, type JsonWebKey, type X509Certificate } from "node:crypto";
import { LazyMap } from "dray/internal/async";
import type { CryptoKey, JWK } from "jose";
import { libtrustName } from "../../libtrust.ts";
import { algorithmsOf } from "./algorithms.ts";
import { jose } from "./jose.ts";

/** A key that this registry was told to trust. */
export interface Key {
  /** What a token may call it: its own `kid`, its thumbprint, its name with libtrust. */
  readonly names: readonly string[];
  readonly algorithms: readonly string[];
  /** Ready to verify with this algorithm of its own. */
  for(algorithm: string): Promise<CryptoKey | Uint8Array>;
}

const publicMembers = ["kty", "crv", "x", "y", "n", "e"] as const;

/** @returns nothing for a key that verifies nothing. @throws for one that is damaged, or too weak */
export const keyOf = async (jwk: JWK): Promise<Key | undefined> => {
  const able = algorithmsOf(jwk);
  if (able.length === 0) return undefined;
  const own = jwk.kty === "oct" ? { kty: jwk.kty, k: jwk.k } : publicPart(jwk);
  const ready = new LazyMap<string, CryptoKey | Uint8Array>();
  const prepare = (algorithm: string): Promise<CryptoKey | Uint8Array> =>
    ready.get(algorithm, async () => (await jose()).importJWK(own as JWK, algorithm));
  const [first] = able;
  if (first !== undefined) await prepare(first);
  const names = jwk.kty === "oct" ? [] : await namesOf(own as JWK);
  return { names: [...(jwk.kid === undefined ? [] : [jwk.kid]), ...names], algorithms: able, for: prepare };
};

/** A certificate's key. @throws for one of a kind that no token is signed with */
export const publicJwk = ({ publicKey }: X509Certificate): JWK => publicKey.export({ format: "jwk" }) as JWK;

/** Of a private key in a set that should hold public ones only this is taken. */
const publicPart = (jwk: JWK): Partial<JWK> =>
  Object.fromEntries(publicMembers.flatMap((name) => (jwk[name] === undefined ? [] : [[name, jwk[name]]])));

const namesOf = async (jwk: JWK): Promise<string[]> => [
  await (await jose()).calculateJwkThumbprint(jwk, "sha256"),
  libtrustName(createPublicKey({ key: jwk as JsonWebKey, format: "jwk" })),
];
