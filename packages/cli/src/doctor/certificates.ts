import { isIP } from "node:net";
import { connect, type PeerCertificate, type TLSSocket } from "node:tls";
import type { Finding } from "./finding.ts";

/** One certificate that a server shows. */
export interface ShownCertificate {
  readonly subject: string;
  readonly issuer: string;
  /** The first moment at which it does not hold any more. */
  readonly until: Date;
}

export interface ShownChain {
  readonly protocol: string;
  /** The server's own first. */
  readonly chain: readonly ShownCertificate[];
}

const patience = 10_000;

/** What a server shows of itself, whether anybody trusts it or not; `undefined`: it does not speak TLS, or not with us. */
export const shownChain = (
  host: string,
  port: number,
  { cert, key }: { readonly cert?: string | undefined; readonly key?: string | undefined } = {},
): Promise<ShownChain | undefined> =>
  new Promise((resolve) => {
    const servername = isIP(host) === 0 ? host : "";
    // Nothing is sent over it: who is trusted, the requests find out.
    const socket: TLSSocket = connect({
      host,
      port,
      servername,
      rejectUnauthorized: false,
      timeout: patience,
      cert,
      key,
    });
    const say = (found: ShownChain | undefined): void => {
      socket.destroy();
      resolve(found);
    };
    socket.once("secureConnect", () =>
      say({ protocol: socket.getProtocol() ?? "TLS", chain: listed(socket.getPeerCertificate(true)) }),
    );
    socket.once("timeout", () => say(undefined));
    socket.once("error", () => say(undefined));
  });

const listed = (first: PeerCertificate & { issuerCertificate?: PeerCertificate }): ShownCertificate[] => {
  const chain: ShownCertificate[] = [];
  const seen = new Set<string>();
  for (
    let at = first;
    at?.subject !== undefined && !seen.has(at.fingerprint256);
    at = at.issuerCertificate as typeof first
  ) {
    seen.add(at.fingerprint256);
    chain.push({ subject: nameOf(at.subject), issuer: nameOf(at.issuer), until: new Date(at.valid_to) });
    if (at.issuerCertificate === undefined) break;
  }
  return chain;
};

const nameOf = (name: PeerCertificate["subject"]): string => [name?.CN ?? name?.O ?? "nobody"].flat().join(", ");

/** Days before its end at which a certificate is warned of. */
const soon = 14;
const day = 24 * 60 * 60 * 1000;

/** What there is to say of a chain that requests go by. @param unchecked nobody has looked whether it is to be trusted */
export const chainFinding = ({ protocol, chain }: ShownChain, now: number, unchecked: boolean): Finding => {
  const said = `${protocol}; ${inWords(chain, now)}`;
  const ends = Math.min(...chain.map(({ until }) => until.getTime()));
  if (unchecked)
    return {
      check: "tls",
      outcome: "warning",
      said: `${said}; it was not checked`,
      remedy: "trust its authority with --ca-file FILE instead",
    };
  if (ends - now >= soon * day) return { check: "tls", outcome: "ok", said };
  return { check: "tls", outcome: "warning", said, remedy: "renew it there before it ends" };
};

/** `registry.example by Example CA, 80 days left; Example CA by Root, …` */
export const inWords = (chain: readonly ShownCertificate[], now: number): string =>
  chain
    .map(({ subject, issuer, until }) => {
      const days = Math.floor((until.getTime() - now) / day);
      const left = days >= 0 ? `${days} days left` : `ended ${-days} days ago`;
      return `${subject === issuer ? `${subject}, signed by itself` : `${subject} by ${issuer}`}, ${left}`;
    })
    .join("; ");
