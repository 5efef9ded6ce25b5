import { X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { defined } from "dray/internal/defined";
import { diskError } from "dray/internal/files";
import type { Listener, TlsOptions } from "../http-server/index.ts";
import type { Log } from "../observe/index.ts";
import { every } from "./schedule.ts";

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
export const readTls = async ({ certificate, key, clientCas, ...rest }: TlsFiles): Promise<TlsOptions> => {
  const ca = await Promise.all(clientCas.map(read));
  return defined<TlsOptions>({
    ...rest,
    cert: await read(certificate),
    key: await read(key),
    ca: ca.length === 0 ? undefined : ca,
  });
};

/** Milliseconds between two looks at the files. */
const interval = 60_000;

/** Shows new connections what the files say now, when that is something else than before. */
export class Certificates {
  readonly #listener: Listener;
  #shown: string;
  #end: number;

  constructor(listener: Listener, shown: TlsOptions) {
    this.#listener = listener;
    this.#shown = textOf(shown);
    this.#end = endOf(shown);
  }

  /** When the certificate that is shown ends; milliseconds since 1970. */
  get end(): number {
    return this.#end;
  }

  async renew(settings: TlsFiles): Promise<boolean> {
    const tls = await readTls(settings);
    const text = textOf(tls);
    if (text === this.#shown) return false;
    await this.#listener.reload(tls);
    this.#shown = text;
    this.#end = endOf(tls);
    return true;
  }

  /** Looks at the files again and again: whoever renews a certificate need not tell. */
  watch(settings: () => TlsFiles | undefined, log: Log): { stop(): Promise<void> } {
    const look = async (): Promise<void> => {
      const now = settings();
      if (now !== undefined && (await this.renew(now))) log("info", "the certificate was renewed");
    };
    return every(interval, look, (error) =>
      log("warn", `the certificate was not renewed: ${error instanceof Error ? error.message : String(error)}`),
    );
  }
}

/** A chain begins with the server's own. */
const endOf = ({ cert }: TlsOptions): number => Date.parse(new X509Certificate(cert).validTo);

const textOf = (tls: TlsOptions): string =>
  JSON.stringify(tls, (_, value: unknown) =>
    value instanceof Uint8Array ? Buffer.from(value).toString("base64") : value,
  );

const read = async (path: string): Promise<Buffer> => {
  try {
    return await readFile(path);
  } catch (error) {
    throw diskError(error, "read", path);
  }
};
