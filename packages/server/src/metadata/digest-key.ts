import { algorithmOf, type Digest, hexOf } from "dray/oci";

/*
 * Digests as the tables keep them: a byte for the algorithm and the raw bytes. The order of these is the order of the texts, so
 * that pages go by them.
 */

const algorithms = [
  { name: "sha256", tag: "01", digits: 64 },
  { name: "sha512", tag: "02", digits: 128 },
] as const;

export const keyOf = (digest: Digest): Uint8Array =>
  Buffer.from((algorithmOf(digest) === "sha256" ? "01" : "02") + hexOf(digest), "hex");

/** Bytes of a digest's key. */
export const keyLength = (digest: Digest): number => (algorithmOf(digest) === "sha256" ? 33 : 65);

/** @param hex a key as SQLite's `lower(hex(…))` gives it, which costs less than the bytes */
export const digestOfKey = (hex: string): Digest =>
  (hex.startsWith("01") ? `sha256:${hex.slice(2)}` : `sha512:${hex.slice(2)}`) as Digest;

/** Digests end to end; each shows its length by its first byte. */
export const packed = (digests: readonly Digest[]): Uint8Array => Buffer.concat(digests.map(keyOf));

/** @param hex as `lower(hex(…))` gives it */
export const unpacked = (hex: string): Digest[] => {
  const digests: Digest[] = [];
  for (let at = 0; at < hex.length; ) {
    const { name, tag, digits } = hex.startsWith("01", at) ? algorithms[0] : algorithms[1];
    const from = at + tag.length;
    at = from + digits;
    digests.push(`${name}:${hex.slice(from, at)}` as Digest);
  }
  return digests;
};

/**
 * The first 48 bits: enough to find by, and small. Two digests may share them, so what is found is compared whole; an index of
 * whole digests would be the largest part of the file.
 */
export const shortKey = (digest: Digest): number => Number.parseInt(hexOf(digest).slice(0, 12), 16);

/** A key such that the digests behind any text, in byte order, are those whose keys are greater. */
export const keyBefore = (after: string): Uint8Array => {
  for (const { name, tag, digits } of algorithms) {
    const prefix = `${name}:`;
    // Shorter than any key of its algorithm, and so before all of them.
    if (after < prefix) return Buffer.from(tag, "hex");
    if (!after.startsWith(prefix)) continue;
    const rest = after.slice(prefix.length);
    const hex = (/^[0-9a-f]*/.exec(rest)?.[0] ?? "").slice(0, digits);
    if (hex.length === digits) return Buffer.from(tag + hex, "hex");
    const next = rest[hex.length];
    if (next !== undefined && next > "f") return Buffer.from(tag + hex.padEnd(digits, "f"), "hex");
    // The first digest that comes behind; a digit follows whatever sorts before it.
    const first = hex + (next === undefined || next < "0" ? "" : "a");
    const before = BigInt(`0x${first.padEnd(digits, "0")}`) - 1n;
    return Buffer.from(before < 0n ? tag : tag + before.toString(16).padStart(digits, "0"), "hex");
  }
  return Buffer.from("ff", "hex");
};
