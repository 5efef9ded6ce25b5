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
  const authority = newKey();
  const issuer = "Dray test CA";
  const issue = (own: KeyPair, details: Pick<CertificateOptions, "name" | "usage" | "hosts">): KeyAndCertificate => ({
    key: own.privateKey.export({ type: "pkcs8", format: "pem" }) as string,
    cert: new X509Certificate(
      certificateOf({ ...details, ...validity, issuer, publicKey: own.publicKey, authority }),
    ).toString(),
  });
  return {
    ca: issue(authority, { name: issuer, usage: "ca" }),
    server: issue(newKey(), {
      name: "localhost",
      usage: "server",
      hosts: ["localhost", "127.0.0.1", "::1", ...hosts],
    }),
    client: issue(newKey(), { name: "dray-test-client", usage: "client" }),
  };
};

const newKey = (): KeyPair => generateKeyPairSync("ec", { namedCurve: "P-256" });
