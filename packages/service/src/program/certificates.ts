import { X509Certificate } from "node:crypto";
import type { Listener, TlsOptions } from "../http-server/index.ts";
import type { Log } from "../observe/index.ts";
import { every } from "./schedule.ts";
import { readTls, type TlsFiles } from "./tls-files.ts";

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
