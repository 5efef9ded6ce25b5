import type { ClientRequest } from "node:http";
import type { AgentOptions, RequestOptions } from "node:https";
import type { Duplex } from "node:stream";
import tls, { type ConnectionOptions } from "node:tls";
import { DrayError } from "../errors.ts";
import { http, https } from "./node-http.ts";
import { timeoutError } from "./transport-error.ts";

/** What a proxy wants to know of us: `Basic` of the user and password in its URL. */
export const proxyAuthorization = (proxy: URL): { "Proxy-Authorization"?: string } => {
  const pair = credentialsIn(proxy);
  return pair === undefined ? {} : { "Proxy-Authorization": `Basic ${Buffer.from(pair.join(":")).toString("base64")}` };
};

/** The user and password in the URL of a proxy. */
export const credentialsIn = ({ username, password }: URL): readonly [string, string] | undefined =>
  username === "" && password === "" ? undefined : [decoded(username), decoded(password)];

/** A password may hold a `%` that begins no escape. */
const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
};

/** Host and port for node's requests, without the brackets of IPv6. */
export const hostAndPort = (url: URL): { host: string; port: number } => ({
  host: url.hostname.replace(/^\[(.*)\]$/, "$1"),
  port: Number(url.port) || (url.protocol === "https:" ? 443 : 80),
});

export interface TunnelOptions {
  /** TLS settings for the way to an https proxy. */
  readonly toProxy: RequestOptions;
  /** Milliseconds the proxy may take to open a tunnel. */
  readonly connectTimeout: number;
}

/**
 * Connections to https hosts through a proxy, by CONNECT (RFC 9110 §9.3.6). Our own and not the agents' `proxyEnv`: that one cannot be given up
 * while the proxy is silent, and hides why it refused.
 */
export class TunnelAgent extends https.Agent {
  readonly #proxy: URL;
  readonly #options: TunnelOptions;
  readonly #opening = new Set<ClientRequest>();

  constructor(proxy: URL, options: AgentOptions, tunnel: TunnelOptions) {
    super(options);
    this.#proxy = proxy;
    this.#options = tunnel;
  }

  override createConnection(
    options: ConnectionOptions,
    callback?: (error: Error | null, socket: Duplex) => void,
  ): undefined {
    const target = `${options.host?.includes(":") ? `[${options.host}]` : options.host}:${options.port}`;
    const request = (this.#proxy.protocol === "https:" ? https : http).request({
      ...this.#options.toProxy,
      ...hostAndPort(this.#proxy),
      method: "CONNECT",
      path: target,
      headers: { Host: target, ...proxyAuthorization(this.#proxy) },
      agent: false,
    });
    const { connectTimeout } = this.#options;
    const timer = setTimeout(() => request.destroy(timeoutError("connect", connectTimeout, target)), connectTimeout);
    this.#opening.add(request);
    const opened = (error: Error | null, socket?: Duplex): void => {
      clearTimeout(timer);
      if (this.#opening.delete(request)) callback?.(error, socket as Duplex);
    };
    request.once("connect", (response, socket) => {
      if (response.statusCode === 200) opened(null, tls.connect({ ...options, socket }));
      else {
        socket.destroy();
        opened(proxyRefusal(this.#proxy.host, target, response.statusCode ?? 0));
      }
    });
    request.once("error", opened);
    request.end();
    return undefined;
  }

  override destroy(): void {
    for (const request of this.#opening) request.destroy();
    super.destroy();
  }
}

/** A proxy that does not let us through, as opposed to whoever is behind it. */
export const proxyRefusal = (proxy: string, target: string, status: number): DrayError =>
  new DrayError(
    "NETWORK",
    `the proxy ${proxy} refused a connection to ${target} with ${status}; ${
      status === 407
        ? "give it a user and password: http://USER:PASSWORD@HOST:PORT"
        : "ask its operator, or list the host in NO_PROXY"
    }`,
    { registry: target, status, retryable: status >= 500 },
  );
