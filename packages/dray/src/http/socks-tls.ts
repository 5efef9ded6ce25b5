import type { AgentOptions } from "node:https";
import tls, { type ConnectionOptions } from "node:tls";
import { https } from "./node-https.ts";
import { type Opened, SocksRoute } from "./socks.ts";

/** Https through a SOCKS proxy. */
export class SocksTlsAgent extends https.Agent {
  readonly #route: SocksRoute;

  constructor(proxy: URL, options: AgentOptions, connectTimeout: number) {
    super(options);
    this.#route = new SocksRoute(proxy, connectTimeout);
  }

  override createConnection(options: ConnectionOptions, callback?: Opened): undefined {
    this.#route.open(options, (error, socket) =>
      error === null ? callback?.(null, tls.connect({ ...options, socket })) : callback?.(error, socket),
    );
    return undefined;
  }

  override destroy(): void {
    this.#route.close();
    super.destroy();
  }
}
