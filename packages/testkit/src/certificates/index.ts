/** Certificates made at run time, for TLS in tests: no file with a key to keep, none that expires. */
import { generateKeyPairSync, X509Certificate } from "node:crypto";
import { type CertificateOptions, certificateOf, type KeyPair } from "./certificate.ts";

/** PEM. */
export interface KeyAndCertificate {
  readonly key: string;
  readonly cert: string;
}

export interface TestCertificates {
  /** The private certificate authority that signed the other two. */
  readonly ca: KeyAndCertificate;
  /** For `localhost`, `127.0.0.1`, `::1` and the names that were asked for. */
  readonly server: KeyAndCertificate;
  /** For the same names, signed by itself: what somebody makes who has no authority. */
  readonly selfSigned: KeyAndCertificate;
  /** To show to a server that asks its clients. */
  readonly client: KeyAndCertificate;
}

/**
 * A private CA with a server's and a client's certificate, new at every call and valid for a day, or for as many as are said.
 * @example
 * const { ca, server } = testCertificates();
 * const registry = await listen(memoryRegistry().handler, { tls: server });
 */
export const testCertificates = (
  options: { hosts?: readonly string[]; now?: Date; days?: number } = {},
): TestCertificates => {
  const { hosts = [], now = new Date(), days = 1 } = options;
  const day = 24 * 60 * 60 * 1000;
  const validity = { notBefore: new Date(now.getTime() - day), notAfter: new Date(now.getTime() + days * day) };
  const [authority, alone] = [newKey(), newKey()];
  const names = ["localhost", "127.0.0.1", "::1", ...hosts];
  const by = { issuer: "Dray test CA", authority };
  const issue = (
    own: KeyPair,
    details: Pick<CertificateOptions, "name" | "usage" | "hosts">,
    { issuer, authority: signer }: Pick<CertificateOptions, "issuer" | "authority"> = by,
  ): KeyAndCertificate => ({
    key: own.privateKey.export({ type: "pkcs8", format: "pem" }) as string,
    cert: new X509Certificate(
      certificateOf({ ...details, ...validity, issuer, publicKey: own.publicKey, authority: signer }),
    ).toString(),
  });
  return {
    ca: issue(authority, { name: by.issuer, usage: "ca" }),
    server: issue(newKey(), { name: "localhost", usage: "server", hosts: names }),
    selfSigned: issue(
      alone,
      { name: "localhost", usage: "server", hosts: names },
      { issuer: "localhost", authority: alone },
    ),
    client: issue(newKey(), { name: "dray-test-client", usage: "client" }),
  };
};

const newKey = (): KeyPair => generateKeyPairSync("ec", { namedCurve: "P-256" });
