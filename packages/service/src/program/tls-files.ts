import { createPrivateKey } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createSecureContext } from "node:tls";
import { DrayError, printable } from "dray/errors";
import { defined } from "dray/internal/defined";
import { diskError } from "dray/internal/files";
import { textOf } from "../config/index.ts";
import type { TlsOptions } from "../http-server/index.ts";
import { certificateOf, certificatesIn } from "./pem.ts";

/** Paths of PEM files, and the rest as `TlsOptions` takes it. */
export interface TlsFiles {
  readonly certificate: string;
  readonly key: string;
  readonly clientCas: readonly string[];
  readonly clientAuth?: "require" | "request";
  readonly minVersion: "TLSv1.2" | "TLSv1.3";
  readonly ciphers?: string;
}

/** Something that keeps a file from being used, with its path and a remedy. */
export interface TlsFault {
  readonly file: "certificate" | "key" | "clientCas";
  readonly error: Error;
}

/**
 * Certificates and keys as they are in their files now; in whatever encoding, since an editor may have put a mark before them.
 * @throws DrayError `DISK`, `CONFIG_INVALID` naming the file
 */
export const readTls = async (files: TlsFiles): Promise<TlsOptions> => {
  const { cert, secret, ca, faults } = await lookedAt(files);
  const [first] = faults;
  if (first !== undefined) throw first.error;
  const { certificate: _, key: __, clientCas: ___, ...rest } = files;
  return defined<TlsOptions>({ ...rest, cert, key: secret, ca: ca.length === 0 ? undefined : ca });
};

/** What there is of a pair: somebody who only looks may know one of the two. */
export type SomeTlsFiles = Partial<Pick<TlsFiles, "certificate" | "key">> & Pick<TlsFiles, "clientCas">;

/** Everything that keeps them from being used. */
export const tlsFaults = async (files: SomeTlsFiles): Promise<readonly TlsFault[]> => (await lookedAt(files)).faults;

interface Looked {
  readonly cert: string;
  readonly secret: string;
  readonly ca: readonly string[];
  readonly faults: readonly TlsFault[];
}

const lookedAt = async ({ certificate, key, clientCas }: SomeTlsFiles): Promise<Looked> => {
  const faults: TlsFault[] = [];
  const read = async (file: TlsFault["file"], path: string, fault: (text: string) => string | undefined) => {
    try {
      const text = textOf(await readFile(path));
      const wrong = fault(text);
      if (wrong !== undefined) faults.push({ file, error: unusable(path, wrong) });
      return text;
    } catch (error) {
      faults.push({ file, error: diskError(error, "read", path) as Error });
      return "";
    }
  };
  const ca: string[] = [];
  for (const path of clientCas) ca.push(await read("clientCas", path, certificateFault));
  const cert = certificate === undefined ? "" : await read("certificate", certificate, certificateFault);
  const secret = key === undefined ? "" : await read("key", key, keyFault);
  if (certificate !== undefined && key !== undefined && faults.every(({ file }) => file === "clientCas")) {
    const wrong = pairFault(cert, secret, printable(certificate));
    if (wrong !== undefined) faults.push({ file: "key", error: unusable(key, wrong) });
  }
  return { cert, secret, ca, faults };
};

const unusable = (path: string, why: string): DrayError =>
  new DrayError("CONFIG_INVALID", `${printable(path)} cannot be used: ${why}`);

const certificateFault = (text: string): string | undefined => {
  const blocks = certificatesIn(text);
  if (blocks.length === 0) return `it holds no certificate in PEM${insteadOf(text, "CERTIFICATE")}`;
  const broken = blocks.findIndex((block) => certificateOf(block) === undefined);
  if (broken < 0) return undefined;
  const which = blocks.length === 1 ? "its certificate" : `its certificate ${broken + 1}`;
  return `${which} cannot be read; write the file again from where the certificate came`;
};

const keyFault = (text: string): string | undefined => {
  if (/-----BEGIN ENCRYPTED PRIVATE KEY-----|^Proc-Type: 4,ENCRYPTED/m.test(text))
    return "its key is locked by a passphrase; unlock it: openssl pkey -in FILE -out NEW";
  if (!hasKey(text)) return `it holds no private key in PEM${insteadOf(text, "PRIVATE KEY")}`;
  try {
    createPrivateKey(text);
    return undefined;
  } catch {
    return "its key cannot be read; write the file again from where the key came";
  }
};

const hasKey = (text: string): boolean => /-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----/.test(text);

/** What a file has in place of what it should have, and what to do then. */
const insteadOf = (text: string, wanted: string): string => {
  if (certificatesIn(text).length > 0)
    return ", but a certificate; perhaps the files of certificate and key are given in swapped order";
  if (hasKey(text) || text.includes("-----BEGIN ENCRYPTED PRIVATE KEY-----"))
    return ", but a private key; perhaps the files of certificate and key are given in swapped order";
  if (text.includes("-----BEGIN PUBLIC KEY-----")) return ", but a public key";
  if (/-----BEGIN (?:NEW )?CERTIFICATE REQUEST-----/.test(text))
    return ", but a request for one; name the file that the authority gave for it";
  // A SEQUENCE in DER, which is no text.
  if (/^0[\u0080-\u0084\ufffd]/.test(text))
    return ", but something in DER; make PEM of it: openssl x509 -inform der -in FILE -out NEW, for a key openssl pkey";
  return text.trim() === "" ? "; it is empty" : `, which begins with -----BEGIN ${wanted}-----`;
};

const pairFault = (cert: string, key: string, certificate: string): string | undefined => {
  if (fits(cert, key)) return undefined;
  const others = certificatesIn(cert).slice(1);
  return others.some((other) => fits(other, key))
    ? `it is the key of a certificate further down in ${certificate}; that one comes first, before those that vouch for it`
    : `it is not the key of the certificate in ${certificate}; name the two that were made together`;
};

const fits = (cert: string, key: string): boolean => {
  try {
    createSecureContext({ cert, key });
    return true;
  } catch {
    return false;
  }
};
