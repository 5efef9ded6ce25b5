import { readFile } from "node:fs/promises";
import { diskError } from "dray/files";
import type { TlsSettings } from "../config/index.ts";
import type { TlsOptions } from "../listen/index.ts";

/** Certificates and keys as they are in their files now. @throws DrayError `DISK` naming the file */
export const readTls = async ({
  certificate,
  key,
  clientCas,
  clientAuth,
  minVersion,
  ciphers,
}: TlsSettings): Promise<TlsOptions> => {
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
