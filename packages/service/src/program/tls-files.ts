import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createSecureContext } from "node:tls";
import { DrayError, printable } from "dray/errors";
import { defined } from "dray/internal/defined";
import { diskError } from "dray/internal/files";
import { textOf } from "../config/index.ts";
import type { TlsOptions } from "../http-server/index.ts";

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
  const { options, faults } = await lookedAt(files);
  const [first] = faults;
  if (first !== undefined) throw first.error;
  return options;
};

/** Everything that keeps them from being used. */
export const tlsFaults = async (files: TlsFiles): Promise<readonly TlsFault[]> => (await lookedAt(files)).faults;

const lookedAt = async ({
  certificate,
  key,
  clientCas,
  ...rest
}: TlsFiles): Promise<{ readonly options: TlsOptions; readonly faults: readonly TlsFault[] }> => {
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
  const ca = await Promise.all(clientCas.map((path) => read("clientCas", path, certificateFault)));
  const cert = await read("certificate", certificate, certificateFault);
  const secret = await read("key", key, keyFault);
  const options = defined<TlsOptions>({ ...rest, cert, key: secret, ca: ca.length === 0 ? undefined : ca });
  if (faults.length === 0 && !fits(cert, secret))
    faults.push({
      file: "key",
      error: unusable(
        key,
        `it is not the key of the certificate in ${printable(certificate)}; name the two that were made together`,
      ),
    });
  return { options, faults };
};

const unusable = (path: string, why: string): DrayError =>
  new DrayError("CONFIG_INVALID", `${printable(path)} cannot be used: ${why}`);

const certificateFault = (text: string): string | undefined => {
  if (!text.includes("-----BEGIN CERTIFICATE-----"))
    return "it holds no certificate in PEM, which begins with -----BEGIN CERTIFICATE-----";
  try {
    void new X509Certificate(text);
    return undefined;
  } catch {
    return "its certificate cannot be read; write the file again from where the certificate came";
  }
};

const keyFault = (text: string): string | undefined => {
  if (/-----BEGIN ENCRYPTED PRIVATE KEY-----|^Proc-Type: 4,ENCRYPTED/m.test(text))
    return "its key is locked by a passphrase; unlock it: openssl pkey -in FILE -out NEW";
  if (!/-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----/.test(text))
    return "it holds no private key in PEM, which begins with -----BEGIN PRIVATE KEY-----";
  try {
    createPrivateKey(text);
    return undefined;
  } catch {
    return "its key cannot be read; write the file again from where the key came";
  }
};

const fits = (cert: string, key: string): boolean => {
  try {
    createSecureContext({ cert, key });
    return true;
  } catch {
    return false;
  }
};
