import type { HttpRequest } from "dray/http";
import type { Memory } from "../memory/index.ts";
import type { FailedHandshake } from "./handshakes.ts";
import type { LetGo, RoomOptions } from "./silences.ts";

/** Certificates and keys as PEM. */
export interface TlsOptions {
  readonly cert: string | Buffer;
  readonly key: string | Buffer;
  /** Who signs clients' certificates. */
  readonly ca?: string | Buffer | readonly (string | Buffer)[];
  /** `require`: only clients with a certificate that `ca` signed. `request`: they may show one. */
  readonly clientAuth?: "require" | "request";
  /** Default `TLSv1.2`. */
  readonly minVersion?: "TLSv1.2" | "TLSv1.3";
  /** OpenSSL names, `:` between them. */
  readonly ciphers?: string;
}

/** Bounds on what one client can cost. Times are milliseconds. There is none on a request in all: uploads may take days. */
export interface Limits {
  /** Until the headers are there. Default 10 s. */
  readonly headers?: number;
  /** While a body moves in neither direction. The handler's own time does not count. Default one hour. */
  readonly idle?: number;
  /** Between two requests; longer than that of balancers (60 s) and of clients written in Go (90 s), so that they are the ones to close. Default 120 s. */
  readonly keepAlive?: number;
  /** How long an upload that nobody wants is read away, so that its client gets to see the answer. Default 10 s. */
  readonly linger?: number;
  /** Bytes of all headers. Default 64 KiB. */
  readonly headerBytes?: number;
  /** Characters of path and query; 414 beyond. Default 32 Ki. */
  readonly target?: number;
  /** Connections at once; further ones are closed. Default: as many as the system has. */
  readonly connections?: number;
}

export interface ListenOptions {
  /** Default `127.0.0.1`. */
  readonly host?: string;
  /** Default 0: any that is free. */
  readonly port?: number;
  /** Path of a unix socket, instead of host and port. */
  readonly unix?: string;
  readonly tls?: TlsOptions;
  /**
   * Addresses and CIDRs whose `X-Forwarded-Proto`, `-Host` and `-For` count, or without these `Forwarded`; `unix` for whoever comes
   * by the socket. A proxy must set or remove each of them, or its clients say who they are. `X-Request-Id` of others reaches no handler.
   */
  readonly trustedProxies?: readonly string[];
  readonly limits?: Limits;
  /** Where bodies are counted as they come. Default: one of its own. */
  readonly memory?: Memory;
  /**
   * A folder for what many clients send at once before there is memory for it, asked for when it is needed; nothing stays there, and no
   * name is to be seen. Default: none, and it lies in memory.
   */
  readonly overflow?: () => string | undefined;
  /** Hears once of each address (or `unix`) that says whom it speaks for and is not trusted; of the first 16. */
  readonly onStranger?: (address: string) => void;
  /** Hears of connections whose TLS handshake failed, of clients that spoke http among them. */
  readonly onHandshake?: (failed: FailedHandshake) => void;
  /** Hears of clients that were let go because a body stood still, or for room. */
  readonly onLetGo?: (gone: LetGo) => void;
  /** Hears of faults: what a handler threw, what broke a body. The client gets a 500 without any of it, or is cut off. */
  readonly onError?: (error: unknown, request: HttpRequest) => void;
}

export interface Listener {
  /** `http://127.0.0.1:41234`; of a unix socket `http://localhost`. */
  readonly origin: string;
  /** `127.0.0.1:41234`, as a URL names it. */
  readonly host: string;
  readonly port: number;
  /** Shows new connections another certificate. Old ones go on. */
  reload(tls: TlsOptions): Promise<void>;
  /** Ends connections that ask for nothing, then those whose bodies stand still, so that others have their room. Tells how many. */
  letGo(room: RoomOptions): number;
  /**
   * Takes no more connections and lets requests that began end, for `drain` milliseconds at most; for `notice` milliseconds before
   * that, connections are still taken, each answer the last one of its connection. Default 0 each.
   */
  stop(options?: { readonly drain?: number; readonly notice?: number }): Promise<void>;
  /** Ends every connection and the server. */
  close(): Promise<void>;
}
