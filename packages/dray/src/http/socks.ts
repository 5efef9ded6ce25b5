import type { ClientRequestArgs, AgentOptions as PlainOptions } from "node:http";
import net, { type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { DrayError } from "../errors.ts";
import { http } from "./node-http.ts";
import { credentialsIn } from "./proxy.ts";
import { timeoutError, transportError } from "./transport-error.ts";

/** Whether a proxy speaks SOCKS 5: it passes on bytes and looks names up by itself. */
export const isSocks = ({ protocol }: URL): boolean => protocol === "socks5:" || protocol === "socks5h:";

export type Opened = (error: Error | null, socket: Duplex) => void;

/** Connections through a SOCKS proxy that are being opened, for whoever closes all. */
export class SocksRoute {
  readonly #proxy: URL;
  readonly #connectTimeout: number;
  readonly #opening = new Set<Socket>();

  /** @param connectTimeout milliseconds the proxy may take to open a connection. */
  constructor(proxy: URL, connectTimeout: number) {
    this.#proxy = proxy;
    this.#connectTimeout = connectTimeout;
  }

  open(
    { host = "", port = 0 }: { host?: string | undefined; port?: number | string | undefined },
    opened: Opened,
  ): void {
    const target = `${host.includes(":") ? `[${host}]` : host}:${port}`;
    const socket = net.connect({
      host: this.#proxy.hostname.replace(/^\[|\]$/g, ""),
      port: Number(this.#proxy.port) || 1080,
    });
    this.#opening.add(socket);
    const timer = setTimeout(
      () => socket.destroy(timeoutError("connect", this.#connectTimeout, target, this.#proxy.host)),
      this.#connectTimeout,
    );
    const settle = (error: Error | null): void => {
      if (!this.#opening.delete(socket)) return;
      clearTimeout(timer);
      socket.removeAllListeners("data").removeAllListeners("close");
      if (error !== null) socket.destroy();
      opened(error, socket);
    };
    const failed = (cause: unknown): void =>
      settle(transportError(cause, { host: target, proxy: this.#proxy.host, answeredBefore: false }));
    socket.once("error", failed);
    socket.once("close", () => failed({ code: "ECONNRESET" }));
    const reader = new Replies(socket);
    socket.once("connect", () => {
      handshake(socket, reader, this.#proxy, { host, port: Number(port), target }).then(
        () => {
          socket.off("error", failed);
          settle(null);
        },
        (error: unknown) => settle(error as Error),
      );
    });
  }

  close(): void {
    for (const socket of this.#opening) socket.destroy();
  }
}

/** Plain http through a SOCKS proxy. */
export class SocksAgent extends http.Agent {
  readonly #route: SocksRoute;

  constructor(proxy: URL, options: PlainOptions, connectTimeout: number) {
    super(options);
    this.#route = new SocksRoute(proxy, connectTimeout);
  }

  override createConnection(options: ClientRequestArgs, callback?: Opened): undefined {
    this.#route.open({ host: options.host ?? undefined, port: options.port ?? undefined }, (error, socket) =>
      callback?.(error, socket),
    );
    return undefined;
  }

  override destroy(): void {
    this.#route.close();
    super.destroy();
  }
}

/** What the proxy answers, in pieces of the size that is asked for. */
class Replies {
  #held = Buffer.alloc(0);
  #waiting: { readonly size: number; readonly resolve: (bytes: Buffer) => void } | undefined;

  constructor(socket: Socket) {
    socket.on("data", (bytes: Buffer) => {
      this.#held = Buffer.concat([this.#held, bytes]);
      this.#give();
    });
  }

  take(size: number): Promise<Buffer> {
    return new Promise((resolve) => {
      this.#waiting = { size, resolve };
      this.#give();
    });
  }

  #give(): void {
    const waiting = this.#waiting;
    if (waiting === undefined || this.#held.byteLength < waiting.size) return;
    this.#waiting = undefined;
    const bytes = this.#held.subarray(0, waiting.size);
    this.#held = this.#held.subarray(waiting.size);
    waiting.resolve(bytes);
  }
}

const reasons: Readonly<Record<number, string>> = {
  1: "it has a fault",
  2: "its rules forbid that",
  3: "the network is unreachable from there",
  4: "the host is unreachable from there",
  5: "connection refused there",
  6: "it took too long",
};

/** @see https://www.rfc-editor.org/rfc/rfc1928 and, for names and passwords, rfc1929 */
const handshake = async (
  socket: Socket,
  replies: Replies,
  proxy: URL,
  { host, port, target }: { host: string; port: number; target: string },
): Promise<void> => {
  const refused = (why: string, retryable = false): DrayError =>
    new DrayError("NETWORK", `the proxy ${proxy.host} refused a connection to ${target}: ${why}`, {
      registry: target,
      retryable,
    });
  const credentials = credentialsIn(proxy);
  socket.write(Buffer.from(credentials === undefined ? [5, 1, 0] : [5, 2, 0, 2]));
  const [version, method] = await replies.take(2);
  if (version !== 5) throw refused("it speaks no SOCKS 5; check its address");
  if (method === 2 && credentials !== undefined) {
    const [name, password] = credentials.map((text) => Buffer.from(text).subarray(0, 255)) as [Buffer, Buffer];
    socket.write(
      Buffer.concat([Buffer.from([1, name.byteLength]), name, Buffer.from([password.byteLength]), password]),
    );
    if ((await replies.take(2))[1] !== 0) throw refused("its user or password is wrong");
  } else if (method !== 0) throw refused("it wants a user and password: socks5://USER:PASSWORD@HOST:PORT");
  socket.write(Buffer.concat([Buffer.from([5, 1, 0]), addressOf(host), Buffer.from([port >> 8, port & 255])]));
  const [, code = 1, , kind] = await replies.take(4);
  if (code !== 0) throw refused(reasons[code] ?? `code ${code}`, code === 1 || code === 3 || code === 4);
  const size = kind === 1 ? 4 : kind === 4 ? 16 : ((await replies.take(1))[0] ?? 0);
  await replies.take(size + 2);
};

/** Names are looked up by the proxy, as it is behind one that a registry may be known. */
const addressOf = (host: string): Buffer => {
  if (net.isIPv4(host)) return Buffer.from([1, ...host.split(".").map(Number)]);
  const name = Buffer.from(host);
  return Buffer.concat([Buffer.from([3, name.byteLength]), name]);
};
