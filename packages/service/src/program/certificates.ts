import { X509Certificate } from "node:crypto";
import { reasonOf } from "dray/errors";
import type { Listener, TlsOptions } from "../http-server/index.ts";
import type { Log } from "../observe/index.ts";
import { every } from "./schedule.ts";
import { readTls, type TlsFiles } from "./tls-files.ts";
import { validityFault } from "./validity.ts";

/** Milliseconds between two looks at the files. */
const interval = 60_000;
const day = 86_400_000;

/** Shows new connections what the files say now, when that is something else than before. */
export class Certificates {
  readonly #listener: Listener;
  #shown: string;
  #cert: TlsOptions["cert"];
  #told: { readonly fault: string | undefined; readonly at: number } | undefined;

  constructor(listener: Listener, shown: TlsOptions) {
    this.#listener = listener;
    this.#shown = textOf(shown);
    this.#cert = shown.cert;
  }

  /** When the certificate that is shown ends; milliseconds since 1970. */
  get end(): number {
    return Date.parse(new X509Certificate(this.#cert).validTo);
  }

  async renew(settings: TlsFiles): Promise<boolean> {
    const tls = await readTls(settings);
    const text = textOf(tls);
    if (text === this.#shown) return false;
    await this.#listener.reload(tls);
    this.#shown = text;
    this.#cert = tls.cert;
    return true;
  }

  /** Warns of a time that is not right or ends soon: once, and again each day. */
  tell(log: Log, now: number = Date.now()): void {
    const fault = validityFault(String(this.#cert), now);
    if (fault === this.#told?.fault && now - (this.#told?.at ?? now) < day) return;
    this.#told = { fault, at: now };
    if (fault !== undefined) log("warn", fault);
  }

  /** Looks at the files again and again: whoever renews a certificate need not tell. */
  watch(settings: () => TlsFiles | undefined, log: Log): { stop(): Promise<void> } {
    const look = async (): Promise<void> => {
      const now = settings();
      if (now !== undefined && (await this.renew(now))) log("info", "the certificate was renewed");
      this.tell(log);
    };
    this.tell(log);
    return every(interval, look, (error) => log("warn", `the certificate was not renewed: ${reasonOf(error)}`));
  }
}

const textOf = (tls: TlsOptions): string =>
  JSON.stringify(tls, (_, value: unknown) =>
    value instanceof Uint8Array ? Buffer.from(value).toString("base64") : value,
  );
