import http from "node:http";
import https, { type AgentOptions } from "node:https";
import type { Duplex } from "node:stream";
import tls, { type ConnectionOptions } from "node:tls";
import { DrayError } from "../errors.ts";

/** What a proxy wants to know of us: `Basic` of the user and password in its URL. */
export const proxyAuthorization = ({ username, password }: URL): { "Proxy-Authorization"?: string } => {
  if (username === "" && password === "") return {};
  const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return { "Proxy-Authorization": `Basic ${Buffer.from(pair).toString("base64")}` };
};

/** Host and port for node's requests, without the brackets of IPv6. */
export const hostAndPort = (url: URL): { host: string; port: number } => ({
  host: url.hostname.replace(/^\[(.*)\]$/, "$1"),
  port: Number(url.port) || (url.protocol === "https:" ? 443 : 80),
});

/**
 * Connections to https hosts through a proxy, by CONNECT (RFC 9110 §9.3.6). Our own and not the agents' `proxyEnv`: that one cannot be given up
 * while the proxy is silent, and hides why it refused.
 */
export class TunnelAgent extends https.Agent {
  readonly #proxy: URL;
  readonly #proxyOptions: https.RequestOptions;

  /** `proxyOptions`: TLS settings for the way to an https proxy. */
  constructor(proxy: URL, options: AgentOptions, proxyOptions: https.RequestOptions) {
    super(options);
    this.#proxy = proxy;
    this.#proxyOptions = proxyOptions;
  }

  override createConnection(
    options: ConnectionOptions & { signal?: AbortSignal },
    callback?: (error: Error | null, socket: Duplex) => void,
  ): undefined {
    const target = `${options.host?.includes(":") ? `[${options.host}]` : options.host}:${options.port}`;
    const failed = (error: Error) => callback?.(error, undefined as unknown as Duplex);
    const request = (this.#proxy.protocol === "https:" ? https : http).request({
      ...this.#proxyOptions,
      ...hostAndPort(this.#proxy),
      method: "CONNECT",
      path: target,
      headers: { Host: target, ...proxyAuthorization(this.#proxy) },
      agent: false,
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    });
    request.once("connect", (response, socket) => {
      if (response.statusCode !== 200) {
        socket.destroy();
        failed(refusal(this.#proxy, target, response.statusCode ?? 0));
        return;
      }
      const { signal: _, ...tlsOptions } = options;
      callback?.(null, tls.connect({ ...tlsOptions, socket }));
    });
    // Some proxies refuse with a body, which is no tunnel.
    request.once("response", (response) => {
      response.destroy();
      failed(refusal(this.#proxy, target, response.statusCode ?? 0));
    });
    request.once("error", failed);
    request.end();
    return undefined;
  }
}

const refusal = (proxy: URL, target: string, status: number): DrayError =>
  new DrayError(
    "NETWORK",
    `the proxy ${proxy.host} refused a connection to ${target} with ${status}; ${
      status === 407
        ? "give it a user and password: http://USER:PASSWORD@HOST:PORT"
        : "ask its operator, or list the host in NO_PROXY"
    }`,
    { registry: target, status, retryable: status >= 500 },
  );
