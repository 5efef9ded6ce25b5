import { X509Certificate } from "node:crypto";

/** Longer chains are nobody's. */
const longest = 8;

export interface TrustedLeaf {
  readonly certificate: X509Certificate;
  /** When the first of the chain ends; milliseconds since 1970. */
  readonly until: number;
}

/**
 * The first certificate of a chain that leads to a root: each valid now and signed by the next. No signature is verified with a key
 * that is not trusted by then, so it begins at the root. What the chain has beyond a certificate that a root vouches for is not looked at.
 * Limits of a path's length and of names are not read.
 * @see https://www.rfc-editor.org/rfc/rfc7515#section-4.1.6
 */
export const trustedLeaf = (x5c: unknown, roots: readonly X509Certificate[], now: number): TrustedLeaf | undefined => {
  const chain = readChain(x5c);
  if (chain === undefined) return undefined;
  let until = Number.POSITIVE_INFINITY;
  const valid = (certificate: X509Certificate): boolean => {
    until = Math.min(until, Date.parse(certificate.validTo));
    return Date.parse(certificate.validFrom) <= now && now <= Date.parse(certificate.validTo);
  };
  const anchor = anchorOf(chain, roots, now);
  if (anchor === undefined) return undefined;
  if (anchor.root !== undefined && !valid(anchor.root)) return undefined;
  for (let at = anchor.at; at >= 0; at--) {
    const [certificate, issuer] = [chain[at], chain[at + 1]];
    if (certificate === undefined || !valid(certificate)) return undefined;
    if (at < anchor.at && (issuer === undefined || !vouches(issuer, certificate))) return undefined;
  }
  const [certificate] = chain;
  return certificate === undefined ? undefined : { certificate, until };
};

const readChain = (x5c: unknown): X509Certificate[] | undefined => {
  if (!Array.isArray(x5c) || x5c.length === 0 || x5c.length > longest) return undefined;
  try {
    return x5c.map((text) => {
      if (typeof text !== "string") throw new TypeError("a certificate is text");
      return new X509Certificate(Buffer.from(text, "base64"));
    });
  } catch {
    return undefined;
  }
};

/** Where the chain meets the roots: a certificate that is one of them, or that one of them signed. */
const anchorOf = (
  chain: readonly X509Certificate[],
  roots: readonly X509Certificate[],
  now: number,
): { at: number; root?: X509Certificate } | undefined => {
  for (const [at, certificate] of chain.entries()) {
    if (roots.some((root) => root.raw.equals(certificate.raw))) return { at };
    // A root that was made anew has the same name and key: the one that is valid counts.
    const root = roots.find((one) => Date.parse(one.validTo) >= now && vouches(one, certificate));
    if (root !== undefined) return { at, root };
  }
  return undefined;
};

const vouches = (issuer: X509Certificate, certificate: X509Certificate): boolean =>
  issuer.ca && certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
