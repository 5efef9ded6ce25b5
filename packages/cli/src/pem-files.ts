import { X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createSecureContext } from "node:tls";
import { DrayError } from "dray/errors";

/** The files with certificates and a key that flags name. */
export interface PemFiles {
  readonly caFile: string | undefined;
  readonly cert: string | undefined;
  readonly key: string | undefined;
}

/** What the files hold, as PEM, looked at before anything is asked of a registry. @throws DrayError `CONFIG_INVALID` naming the flag and the file */
export const pemOf = async ({
  caFile,
  cert,
  key,
}: PemFiles): Promise<{ readonly ca?: string; readonly cert?: string; readonly key?: string }> => ({
  ...(caFile !== undefined && { ca: await authorities(caFile) }),
  ...(cert !== undefined && key !== undefined && (await identity(cert, key))),
});

const pem = async (flag: string, file: string): Promise<string> => {
  const text = await readFile(file, "utf8").catch((cause: unknown) => {
    const { code } = cause as NodeJS.ErrnoException;
    const why =
      code === "ENOENT" ? "no such file; check the path" : `cannot be read (${code}); check its owner and mode`;
    throw new DrayError("CONFIG_INVALID", `${flag} ${file}: ${why}`, { cause });
  });
  if (!text.includes("-----BEGIN "))
    throw new DrayError("CONFIG_INVALID", `${flag} ${file}: holds no PEM block (-----BEGIN …)`);
  return text;
};

/** The same text, looked at: whoever uses it later does not know the file's name any more. */
const authorities = async (file: string): Promise<string> => {
  const text = await pem("--ca-file", file);
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
  orDamaged(`--ca-file ${file}: a certificate in it is damaged`, () => blocks.map((each) => new X509Certificate(each)));
  return text;
};

const identity = async (certFile: string, keyFile: string): Promise<{ cert: string; key: string }> => {
  const [cert, key] = [await pem("--cert", certFile), await pem("--key", keyFile)];
  orDamaged(`--key ${keyFile} is not the key of --cert ${certFile}, or one is damaged`, () =>
    createSecureContext({ cert, key }),
  );
  return { cert, key };
};

const orDamaged = (message: string, read: () => unknown): void => {
  try {
    read();
  } catch (cause) {
    throw new DrayError("CONFIG_INVALID", message, { cause });
  }
};
