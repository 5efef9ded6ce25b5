import { readFile } from "node:fs/promises";
import { diskError } from "dray/internal/files";
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

/** Certificates and keys as they are in their files now. @throws DrayError `DISK` naming the file */
export const readTls = async ({
  certificate,
  key,
  clientCas,
  clientAuth,
  minVersion,
  ciphers,
}: TlsFiles): Promise<TlsOptions> => {
  const ca = await Promise.all(clientCas.map(read));
  return {
    cert: await read(certificate),
    key: await read(key),
    minVersion,
    ...(ca.length === 0 ? {} : { ca }),
    ...(clientAuth === undefined ? {} : { clientAuth }),
    ...(ciphers === undefined ? {} : { ciphers }),
  };
};

const read = async (path: string): Promise<Buffer> => {
  try {
    return await readFile(path);
  } catch (error) {
    throw diskError(error, "read", path);
  }
};
