import type { ClientRequest } from "node:http";
import type { AgentOptions, RequestOptions } from "node:https";
import type { Duplex } from "node:stream";
import tls, { type ConnectionOptions } from "node:tls";
import type { DrayError } from "../errors.ts";
import { http } from "./node-http.ts";
import { https } from "./node-https.ts";
import { hostAndPort, proxyAuthorization, proxyRefusal } from "./proxy.ts";
import { timeoutError, transportError } from "./transport-error.ts";

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
    const { host } = this.#proxy;
    const late = (): DrayError => timeoutError("connect", connectTimeout, target, host);
    const timer = setTimeout(() => request.destroy(late()), connectTimeout);
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
    // Whoever is behind the tunnel has said nothing yet: what TLS complains of is the proxy.
    request.once("error", (cause) => {
      const fault = transportError(cause, { host: target, proxy: host, tlsToProxy: true, answeredBefore: false });
      opened(fault.code === "TLS" ? fault : cause);
    });
    request.end();
    return undefined;
  }

  override destroy(): void {
    for (const request of this.#opening) request.destroy();
    super.destroy();
  }
}
