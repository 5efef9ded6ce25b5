import { createHash, type Hash } from "node:crypto";
import { DrayError } from "../errors.ts";

/**
 * `algorithm:hex`, such as `sha256:9f86d0…`. The brand keeps unchecked text out.
 * @see https://github.com/opencontainers/image-spec/blob/main/descriptor.md#digests
 */
export type Digest = `${DigestAlgorithm}:${string}` & { readonly [brand]: true };
declare const brand: unique symbol;

/** The registered algorithms that Dray computes. */
export type DigestAlgorithm = "sha256" | "sha512";

const hexLength: Record<DigestAlgorithm, number> = { sha256: 64, sha512: 128 };
const grammar = /^[a-z0-9]+(?:[.+_-][a-z0-9]+)*:[a-zA-Z0-9=_-]+$/;

/**
 * Reads a digest.
 * @throws DrayError `DIGEST_INVALID`, saying whether the form, the algorithm or the length is wrong.
 * @example parseDigest("sha256:" + "0".repeat(64))
 */
export const parseDigest = (text: string): Digest => {
  const fault = digestFault(text);
  if (fault !== undefined) throw new DrayError("DIGEST_INVALID", `digest "${text}": ${fault}`);
  return text as Digest;
};

/** Whether the text is a digest that Dray can compute. */
export const isDigest = (text: unknown): text is Digest => typeof text === "string" && digestFault(text) === undefined;

const digestFault = (text: string): string | undefined => {
  if (!grammar.test(text)) return "expected algorithm:hex, such as sha256:<64 hex digits>";
  const { algorithm, hex } = split(text);
  if (!Object.hasOwn(hexLength, algorithm)) return `algorithm "${algorithm}" is not supported; sha256 and sha512 are`;
  const wanted = hexLength[algorithm as DigestAlgorithm];
  if (hex.length !== wanted) return `${algorithm} has ${wanted} hex digits, this has ${hex.length}`;
  return /^[0-9a-f]+$/.test(hex) ? undefined : "hex digits must be 0-9 and a-f in lower case";
};

const split = (text: string): { algorithm: string; hex: string } => {
  const colon = text.indexOf(":");
  return { algorithm: text.slice(0, colon), hex: text.slice(colon + 1) };
};

/** The part before the colon: `sha256`. */
export const algorithmOf = (digest: Digest): DigestAlgorithm => split(digest).algorithm as DigestAlgorithm;
/**
 * The part behind the colon. Files are named by it: what is no digest, whatever its type says, would lead elsewhere.
 * @throws DrayError `DIGEST_INVALID`
 */
export const hexOf = (digest: Digest): string => split(parseDigest(digest)).hex;

/**
 * The digest of bytes in memory.
 * @example digestOf(new TextEncoder().encode("{}")) // "sha256:44136fa3…"
 */
export const digestOf = (bytes: Uint8Array, algorithm: DigestAlgorithm = "sha256"): Digest =>
  `${algorithm}:${createHash(algorithm).update(bytes).digest("hex")}` as Digest;

/** A running hash that ends in a digest. */
export interface Digester {
  update(bytes: Uint8Array): void;
  /** Ends the hash; call it once. */
  digest(): Digest;
}

/** Begins to hash bytes that come one after the other. */
export const digester = (algorithm: DigestAlgorithm = "sha256"): Digester => {
  const hash: Hash = createHash(algorithm);
  return {
    update: (bytes) => void hash.update(bytes),
    digest: () => `${algorithm}:${hash.digest("hex")}` as Digest,
  };
};
