import type { Agent, ClientRequest, AgentOptions as PlainOptions, RequestOptions } from "node:http";
import type * as Https from "node:https";
import type { AgentOptions } from "node:https";
import type { SecureContext } from "node:tls";
import { DrayError } from "../errors.ts";
import type { AddressGuard } from "./address-guard.ts";
import { http } from "./node-http.ts";
import { OpenedAhead } from "./opened-ahead.ts";
import { type Environment, hostAndPort, parseProxy, proxyAuthorization, proxyFor } from "./proxy.ts";
import { redactUrl } from "./redact.ts";
import type * as Secure from "./secure.ts";
import { isSocks, SocksAgent } from "./socks.ts";
import type { Authorities, TlsSettings } from "./tls-settings.ts";

/** Header values by name; several of one name as a list. */
export type OutgoingHeaders = Record<string, string | string[]>;

/** The way to one origin. */
export interface Route {
  /** Host and port, for messages. */
  readonly host: string;
  /** Host alone, without the brackets of IPv6; `""` for a unix socket. */
  readonly hostname: string;
  /** The proxy on the way, without its credentials. */
  readonly proxy?: string | undefined;
  /** Whether TLS on this way is spoken with the proxy, and not with the host. */
  readonly tlsToProxy?: boolean;
  /** Whether the system's authorities are trusted on it, too. */
  readonly trustsSystem: boolean;
  request(method: string, target: string, headers: OutgoingHeaders, manner?: Manner): ClientRequest;
  /** Opens connections for requests to come, until there are `total`; not before one has stood. `refused` hears where the host closes one. */
  openAhead(total: number, refused: () => void): void;
  /** Whether a request that failed met a connection that was opened ahead and closed since. Then no more are: the host closes them. */
  foundClosed(request: ClientRequest): boolean;
}

/** How a request is sent where the usual way does not do. */
export interface Manner {
  /** Over a connection of its own, which is not used again. */
  readonly alone?: boolean | undefined;
  /** The answer is read although it breaks rules of HTTP, as other clients read it. Where it ends is not beyond doubt then: only `alone`. */
  readonly lenient?: boolean | undefined;
}

/** Whom we trust, who we are, and which proxy is on the way. */
export interface RouteOptions extends TlsSettings {
  /** URL of a proxy (`http:`, `https:`, `socks5:`) for everything, or `false` for none. Default: what the environment says. */
  readonly proxy?: string | false | undefined;
  /** Default `process.env`: `HTTPS_PROXY`, `HTTP_PROXY`, `NO_PROXY`. */
  readonly env?: Environment | undefined;
  /** Trusted where the runtime's own authorities and `ca` do not vouch for a host. Default: the system's. */
  readonly systemAuthorities?: Authorities | undefined;
}

/** An origin of http or https, and the proxy on the way. */
interface Way {
  readonly origin: string;
  readonly url: URL;
  readonly proxy: URL | undefined;
}

/** Token services send long scopes and cookies; Node's own limit is 16 KiB. */
const maxHeaderSize = 64 * 1024;
/** More origins than this are not one registry with its storage. */
const mostRoutes = 256;

/** Finds the way to an origin: directly, by a unix socket or through a proxy. Keeps a pool of connections for each way. */
export class Routes {
  readonly #options: RouteOptions;
  readonly #guard: AddressGuard;
  readonly #connectTimeout: number;
  readonly #routes = new Map<string, Route>();
  readonly #kept = new Map<string, Agent>();
  readonly #contexts = new Map<boolean, SecureContext | undefined>();
  readonly #retired: Agent[] = [];
  readonly #ahead = new Map<Agent, OpenedAhead>();
  #system: readonly string[] | undefined;
  #loaded: typeof Secure | undefined;

  /** @param connectTimeout milliseconds a proxy may take to open a tunnel. */
  constructor(options: RouteOptions, guard: AddressGuard, connectTimeout: number) {
    this.#options = options;
    this.#guard = guard;
    this.#connectTimeout = connectTimeout;
  }

  /** @throws DrayError `CONFIG_INVALID` for a proxy or certificate that cannot be used, `USAGE` for an origin that is none. */
  async to(origin: string): Promise<Route> {
    const kept = this.#routes.get(origin);
    if (kept !== undefined) return kept;
    const way = origin.startsWith("unix:") ? undefined : this.#wayTo(origin);
    if (way !== undefined && [way.url, way.proxy].some((each) => each?.protocol === "https:"))
      this.#loaded ??= await import("./secure.ts");
    // Somebody else may have asked for the same meanwhile.
    const route =
      this.#routes.get(origin) ??
      (way === undefined ? this.#toSocket(origin.slice("unix:".length)) : this.#toHost(way));
    if (this.#routes.size >= mostRoutes) this.#routes.clear();
    this.#routes.set(origin, route);
    return route;
  }

  /** The way that was found before, if it still holds. */
  known(origin: string): Route | undefined {
    return this.#routes.get(origin);
  }

  /**
   * From now on trusts the system's authorities, too. Only a host that is not trusted otherwise is worth their reading.
   * `false`: that makes no difference to `route`.
   */
  trustSystem(route: Route): boolean {
    if (route.trustsSystem) return false;
    if (this.#system === undefined) {
      this.#system = (this.#options.systemAuthorities ?? this.#secure.systemAuthorities)();
      this.#retired.push(...this.#kept.values());
      for (const kept of [this.#routes, this.#kept, this.#contexts]) kept.clear();
    }
    return this.#system.length > 0;
  }

  close(): void {
    for (const ahead of this.#ahead.values()) ahead.close();
    for (const agent of [...this.#kept.values(), ...this.#retired]) agent.destroy();
  }

  #toSocket(socketPath: string): Route {
    const agents = this.#agents("unix", (keepAlive) => new http.Agent({ keepAlive }));
    const request = requester(http, { socketPath }, agents, "", { Host: "localhost" });
    const nearby = { openAhead: () => {}, foundClosed: () => false };
    return { host: socketPath, hostname: "", trustsSystem: false, request, ...nearby };
  }

  #wayTo(origin: string): Way {
    const url = URL.canParse(origin) ? new URL(origin) : undefined;
    if (url === undefined || !/^https?:$/.test(url.protocol) || url.origin !== origin.toLowerCase())
      throw new DrayError("USAGE", `"${redactUrl(origin)}" is no origin; expected https://host:port`);
    return { origin, url, proxy: this.#proxyFor(url) };
  }

  #toHost({ origin, url, proxy }: Way): Route {
    const { lookup, isForeign } = this.#guard;
    const to = hostAndPort(url);
    const trustsSystem = this.#system !== undefined;
    const named = { host: url.host, hostname: to.host, trustsSystem, proxy: proxy?.host };
    if (url.protocol === "https:") {
      const foreign = isForeign(to.host);
      const { https, SocksTlsAgent, TunnelAgent } = this.#secure;
      const agents = this.#agents(`https ${foreign} ${proxy?.href ?? ""}`, (keepAlive) => {
        const options: AgentOptions = { keepAlive, ...this.#tls(foreign) };
        if (proxy === undefined) return new https.Agent({ ...options, lookup });
        if (isSocks(proxy)) return new SocksTlsAgent(proxy, options, this.#connectTimeout);
        return new TunnelAgent(proxy, options, { toProxy: this.#tls(true), connectTimeout: this.#connectTimeout });
      });
      return { ...named, ...this.#aheadOf(to, agents), request: requester(https, to, agents) };
    }
    if (proxy === undefined) {
      const agents = this.#agents("http", (keepAlive) => new http.Agent({ keepAlive, lookup } as PlainOptions));
      return { ...named, ...this.#aheadOf(to, agents), request: requester(http, to, agents) };
    }
    if (isSocks(proxy)) {
      const make = (keepAlive: boolean): Agent => new SocksAgent(proxy, { keepAlive }, this.#connectTimeout);
      const agents = this.#agents(`http ${proxy.href}`, make);
      return { ...named, ...this.#aheadOf(to, agents), request: requester(http, to, agents) };
    }
    // An http proxy is asked for whole URLs (RFC 9112 §3.2.2).
    const secure = proxy.protocol === "https:";
    const agents = this.#agents(`to ${proxy.protocol}`, (keepAlive) =>
      secure ? new this.#secure.https.Agent({ keepAlive, ...this.#tls(true) }) : new http.Agent({ keepAlive }),
    );
    const added = { Host: url.host, ...proxyAuthorization(proxy) };
    const first = hostAndPort(proxy);
    const request = requester(secure ? this.#secure.https : http, first, agents, origin, added);
    return { ...named, tlsToProxy: secure, ...this.#aheadOf(first, agents), request };
  }

  #proxyFor(url: URL): URL | undefined {
    const { proxy, env = process.env } = this.#options;
    if (proxy === false) return undefined;
    return proxy === undefined ? proxyFor(url, env) : parseProxy(proxy, "the proxy option");
  }

  /** The agent of a way whose connections are kept, or that of those which are used once. */
  #agents(way: string, make: (keepAlive: boolean) => Agent): (alone: boolean) => Agent {
    return (alone) => {
      const key = `${alone ? "alone " : ""}${way}`;
      const kept = this.#kept.get(key);
      if (kept !== undefined) return kept;
      const agent = make(!alone);
      this.#kept.set(key, agent);
      if (!alone) this.#ahead.set(agent, new OpenedAhead(agent));
      return agent;
    };
  }

  /** @param to whom connections lead to: the host, or the proxy that is asked for whole URLs. */
  #aheadOf(
    { host, port }: { readonly host: string; readonly port: number },
    agents: (alone: boolean) => Agent,
  ): Pick<Route, "openAhead" | "foundClosed"> {
    return {
      openAhead: (total, refused) => this.#ahead.get(agents(false))?.open(host, port, total, refused),
      foundClosed: ({ socket }) => this.#ahead.get(agents(false))?.foundClosed(socket) === true,
    };
  }

  /** What `to` has loaded for whoever needs it. */
  get #secure(): typeof Secure {
    return this.#loaded as typeof Secure;
  }

  /** Our certificate is for the registry alone. */
  #tls(foreign: boolean): AgentOptions {
    const { ca, cert, key, skipTlsVerify } = this.#options;
    if (!this.#contexts.has(foreign))
      this.#contexts.set(foreign, this.#secure.secureContext(foreign ? { ca } : { ca, cert, key }, this.#system));
    const context = this.#contexts.get(foreign);
    return { rejectUnauthorized: skipTlsVerify !== true, ...(context && { secureContext: context }) };
  }
}

/** @param prefix what stands before each target. */
const requester =
  (
    protocol: typeof http | typeof Https,
    options: RequestOptions,
    agents: (alone: boolean) => Agent,
    prefix = "",
    added: OutgoingHeaders = {},
  ) =>
  (method: string, target: string, headers: OutgoingHeaders, { alone = false, lenient }: Manner = {}): ClientRequest =>
    protocol.request({
      ...options,
      agent: agents(alone),
      maxHeaderSize,
      method,
      path: prefix + target,
      headers: { ...added, ...headers },
      ...(lenient === true && { insecureHTTPParser: true }),
    });
