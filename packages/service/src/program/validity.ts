import { certificateOf, certificatesIn } from "./pem.ts";

/** Milliseconds before its end from which on a certificate should have been renewed. */
const soon = 14 * 86_400_000;

/**
 * Why clients refuse certificates in PEM now, or will before long; `undefined` where their times are right. A chain begins with the
 * server's own.
 */
export const validityFault = (text: string, now: number): string | undefined => {
  for (const [at, block] of certificatesIn(text).entries()) {
    const name =
      at === 0 ? "the certificate" : `certificate ${at + 1} of the chain, which vouches for the one before it,`;
    const fault = faultOf(block, now);
    if (fault !== undefined) return `${name} ${fault}`;
  }
  return undefined;
};

/** The same of certificates that vouch for clients: a file may hold many, and each is told. */
export const authorityFaults = (text: string, now: number): readonly string[] =>
  certificatesIn(text).flatMap((block, at) => {
    const { from, to } = timesOf(block);
    if (now >= to)
      return [`its certificate ${at + 1} ended on ${iso(to)}: clients with certificates of it are refused`];
    return now < from ? [`its certificate ${at + 1} begins on ${iso(from)}: until then clients are refused`] : [];
  });

const faultOf = (block: string, now: number): string | undefined => {
  const { from, to } = timesOf(block);
  if (now >= to) return `ended on ${iso(to)}, and clients refuse it; renew it, a new one is shown without a restart`;
  if (now < from)
    return `begins on ${iso(from)}, and clients refuse it until then; look at the clock of this machine, or wait`;
  return to - now < soon
    ? `ends on ${iso(to)}, within 14 days; renew it, a new one is shown without a restart`
    : undefined;
};

const iso = (time: number): string => new Date(time).toISOString();

const timesOf = (block: string): { readonly from: number; readonly to: number } => {
  const certificate = certificateOf(block);
  const [from, to] = [certificate?.validFrom, certificate?.validTo].map((each) => Date.parse(each ?? ""));
  return { from: from ?? Number.NaN, to: to ?? Number.NaN };
};
