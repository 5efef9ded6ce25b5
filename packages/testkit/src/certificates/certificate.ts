import { createHash, type KeyObject, randomBytes, sign } from "node:crypto";
import { bits, boolean, type Der, explicit, implicit, integer, octets, oid, sequence, set, time, utf8 } from "./der.ts";

export interface KeyPair {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

export interface CertificateOptions {
  /** Common name. */
  readonly name: string;
  readonly issuer: string;
  readonly publicKey: KeyObject;
  /** Signs. */
  readonly authority: KeyPair;
  readonly usage: "ca" | "server" | "client";
  /** Names and addresses a server certificate is for. */
  readonly hosts?: readonly string[];
  readonly notBefore: Date;
  readonly notAfter: Date;
}

const ecdsaWithSha256 = sequence(oid("1.2.840.10045.4.3.2"));

/** A version 3 certificate over a P-256 key, in DER. @see https://www.rfc-editor.org/rfc/rfc5280#section-4.1 */
export const certificateOf = (options: CertificateOptions): Der => {
  const { name, issuer, publicKey, authority, usage, hosts = [], notBefore, notAfter } = options;
  const extensions = [
    extension("2.5.29.19", true, usage === "ca" ? sequence(boolean(true)) : sequence()),
    // Bits from the left: digitalSignature is 0, keyCertSign 5, cRLSign 6.
    extension("2.5.29.15", true, usage === "ca" ? bits(Uint8Array.of(0x86), 1) : bits(Uint8Array.of(0x80), 7)),
    extension("2.5.29.14", false, octets(keyId(publicKey))),
    extension("2.5.29.35", false, sequence(implicit(0, keyId(authority.publicKey)))),
    ...(usage === "ca" ? [] : [extension("2.5.29.37", false, sequence(oid(extendedUsage[usage])))]),
    ...(hosts.length === 0 ? [] : [extension("2.5.29.17", false, sequence(...hosts.map(alternativeName)))]),
  ];
  const toBeSigned = sequence(
    explicit(0, integer(Uint8Array.of(2))),
    // 127 bits: positive, and never zero.
    integer(Buffer.concat([Uint8Array.of(0x40), randomBytes(15)])),
    ecdsaWithSha256,
    nameOf(issuer),
    sequence(time(notBefore), time(notAfter)),
    nameOf(name),
    publicKey.export({ type: "spki", format: "der" }),
    explicit(3, sequence(...extensions)),
  );
  return sequence(toBeSigned, ecdsaWithSha256, bits(sign("sha256", toBeSigned, authority.privateKey)));
};

const extendedUsage = { server: "1.3.6.1.5.5.7.3.1", client: "1.3.6.1.5.5.7.3.2" } as const;

const extension = (id: string, critical: boolean, value: Der): Der =>
  sequence(oid(id), ...(critical ? [boolean(true)] : []), octets(value));

const nameOf = (commonName: string): Der => sequence(set(sequence(oid("2.5.4.3"), utf8(commonName))));

const keyId = (key: KeyObject): Uint8Array =>
  createHash("sha1")
    .update(key.export({ type: "spki", format: "der" }))
    .digest();

/** A host as a DNS name, an IPv4 address or `::1`. */
const alternativeName = (host: string): Der => {
  if (host === "::1") return implicit(7, Uint8Array.of(...Array<number>(15).fill(0), 1));
  return /^[0-9.]+$/.test(host)
    ? implicit(7, Uint8Array.from(host.split("."), Number))
    : implicit(2, Buffer.from(host));
};
