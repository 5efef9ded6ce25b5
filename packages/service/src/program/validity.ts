import { X509Certificate } from "node:crypto";

/** Milliseconds before its end from which on a certificate should have been renewed. */
const soon = 14 * 86_400_000;

/** Why clients refuse a certificate in PEM now, or will before long; `undefined` where its time is right. A chain begins with the server's own. */
export const validityFault = (cert: string | Uint8Array, now: number): string | undefined => {
  const { validFrom, validTo } = new X509Certificate(cert);
  const [from, to] = [validFrom, validTo].map((each) => new Date(each));
  if (from === undefined || to === undefined) return undefined;
  if (now >= to.getTime())
    return `the certificate ended on ${to.toISOString()}, and clients refuse it; renew it, a new one is shown without a restart`;
  if (now < from.getTime())
    return `the certificate begins on ${from.toISOString()}, and clients refuse it until then; look at the clock of this machine, or wait`;
  return to.getTime() - now < soon
    ? `the certificate ends on ${to.toISOString()}, within 14 days; renew it, a new one is shown without a restart`
    : undefined;
};
