/** Certificates made at run time, for TLS in tests: no file with a key to keep, none that expires. */
import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { type CertificateOptions, certificateOf } from "./certificate.ts";

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
 * A private CA with a server's and a client's certificate, new at every call and valid for a day.
 * @example
 * const { ca, server } = testCertificates();
 * const registry = await listen(memoryRegistry().handler, { tls: server });
 */
export const testCertificates = (options: { hosts?: readonly string[]; now?: Date } = {}): TestCertificates => {
  const { hosts = [], now = new Date() } = options;
  const day = 24 * 60 * 60 * 1000;
  const validity = { notBefore: new Date(now.getTime() - day), notAfter: new Date(now.getTime() + day) };
  const authority = newKey();
  const issuer = "Dray test CA";
  const issue = (
    own: { publicKey: KeyObject; privateKey: KeyObject },
    details: Pick<CertificateOptions, "name" | "usage" | "hosts">,
  ): KeyAndCertificate => ({
    key: pem("PRIVATE KEY", own.privateKey.export({ type: "pkcs8", format: "der" })),
    cert: pem(
      "CERTIFICATE",
      certificateOf({
        ...details,
        ...validity,
        issuer,
        publicKey: own.publicKey,
        signedWith: authority.privateKey,
        issuerKey: authority.publicKey,
      }),
    ),
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

const newKey = (): { publicKey: KeyObject; privateKey: KeyObject } =>
  generateKeyPairSync("ec", { namedCurve: "P-256" });

const pem = (label: string, der: Uint8Array): string => {
  const lines =
    Buffer.from(der)
      .toString("base64")
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
};
