import http, { type ClientRequest } from "node:http";
import https, { type AgentOptions } from "node:https";
import type { SecureContext } from "node:tls";
import { DrayError } from "../errors.ts";
import type { AddressGuard } from "./address-guard.ts";
import { type Environment, parseProxy, proxyFor } from "./proxy.ts";
import { redactUrl } from "./redact.ts";
import { type Authorities, secureContext, systemAuthorities, type TlsSettings } from "./tls-settings.ts";
import { hostAndPort, proxyAuthorization, TunnelAgent } from "./tunnel.ts";

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
  /** Whether the system's authorities are trusted on it, too. */
  readonly trustsSystem: boolean;
  request(method: string, target: string, headers: OutgoingHeaders): ClientRequest;
}

/** Whom we trust, who we are, and which proxy is on the way. */
export interface RouteOptions extends TlsSettings {
  /** URL of a proxy for everything, or `false` for none. Default: what the environment says. */
  readonly proxy?: string | false | undefined;
  /** Default `process.env`: `HTTPS_PROXY`, `HTTP_PROXY`, `NO_PROXY`. */
  readonly env?: Environment | undefined;
  /** Trusted where the runtime's own authorities and `ca` do not vouch for a host. Default: the system's. */
  readonly systemAuthorities?: Authorities | undefined;
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
  readonly #agents = new Map<string, http.Agent>();
  readonly #contexts = new Map<boolean, SecureContext | undefined>();
  readonly #retired: http.Agent[] = [];
  #system: readonly string[] | undefined;

  /** @param connectTimeout milliseconds a proxy may take to open a tunnel. */
  constructor(options: RouteOptions, guard: AddressGuard, connectTimeout: number) {
    this.#options = options;
    this.#guard = guard;
    this.#connectTimeout = connectTimeout;
  }

  /** @throws DrayError `CONFIG_INVALID` for a proxy or certificate that cannot be used, `USAGE` for an origin that is none. */
  to(origin: string): Route {
    const kept = this.#routes.get(origin);
    if (kept !== undefined) return kept;
    const route = origin.startsWith("unix:") ? this.#toSocket(origin.slice("unix:".length)) : this.#toHost(origin);
    if (this.#routes.size >= mostRoutes) this.#routes.clear();
    this.#routes.set(origin, route);
    return route;
  }

  /**
   * From now on trusts the system's authorities, too. Only a host that is not trusted otherwise is worth their reading.
   * `false`: that makes no difference to `route`.
   */
  trustSystem(route: Route): boolean {
    if (route.trustsSystem) return false;
    if (this.#system === undefined) {
      this.#system = (this.#options.systemAuthorities ?? systemAuthorities)();
      this.#retired.push(...this.#agents.values());
      for (const kept of [this.#routes, this.#agents, this.#contexts]) kept.clear();
    }
    return this.#system.length > 0;
  }

  close(): void {
    for (const agent of [...this.#agents.values(), ...this.#retired]) agent.destroy();
  }

  #toSocket(socketPath: string): Route {
    const agent = this.#agent("unix", () => new http.Agent({ keepAlive: true }));
    const request = requester(http, { socketPath, agent }, "", { Host: "localhost" });
    return { host: socketPath, hostname: "", trustsSystem: false, request };
  }

  #toHost(origin: string): Route {
    const url = URL.canParse(origin) ? new URL(origin) : undefined;
    if (url === undefined || !/^https?:$/.test(url.protocol) || url.origin !== origin.toLowerCase())
      throw new DrayError("USAGE", `"${redactUrl(origin)}" is no origin; expected https://host:port`);
    const { lookup, isForeign } = this.#guard;
    const proxy = this.#proxyFor(url);
    const to = hostAndPort(url);
    const trustsSystem = this.#system !== undefined;
    const named = { host: url.host, hostname: to.host, trustsSystem, proxy: proxy?.host };
    if (url.protocol === "https:") {
      const foreign = isForeign(to.host);
      const agent = this.#agent(`https ${foreign} ${proxy?.href ?? ""}`, () => {
        const options: AgentOptions = { keepAlive: true, ...this.#tls(foreign) };
        if (proxy === undefined) return new https.Agent({ ...options, lookup });
        return new TunnelAgent(proxy, options, { toProxy: this.#tls(true), connectTimeout: this.#connectTimeout });
      });
      return { ...named, request: requester(https, { ...to, agent }) };
    }
    if (proxy === undefined) {
      const agent = this.#agent("http", () => new http.Agent({ keepAlive: true, lookup } as http.AgentOptions));
      return { ...named, request: requester(http, { ...to, agent }) };
    }
    // An http proxy is asked for whole URLs (RFC 9112 §3.2.2).
    const secure = proxy.protocol === "https:";
    const agent = this.#agent(`to ${proxy.protocol}`, () =>
      secure ? new https.Agent({ keepAlive: true, ...this.#tls(true) }) : new http.Agent({ keepAlive: true }),
    );
    const added = { Host: url.host, ...proxyAuthorization(proxy) };
    return { ...named, request: requester(secure ? https : http, { ...hostAndPort(proxy), agent }, origin, added) };
  }

  #proxyFor(url: URL): URL | undefined {
    const { proxy, env = process.env } = this.#options;
    if (proxy === false) return undefined;
    return proxy === undefined ? proxyFor(url, env) : parseProxy(proxy, "the proxy option");
  }

  #agent(key: string, make: () => http.Agent): http.Agent {
    const agent = this.#agents.get(key) ?? make();
    this.#agents.set(key, agent);
    return agent;
  }

  /** Our certificate is for the registry alone. */
  #tls(foreign: boolean): AgentOptions {
    const { ca, cert, key, skipTlsVerify } = this.#options;
    if (!this.#contexts.has(foreign))
      this.#contexts.set(foreign, secureContext(foreign ? { ca } : { ca, cert, key }, this.#system));
    const context = this.#contexts.get(foreign);
    return { rejectUnauthorized: skipTlsVerify !== true, ...(context && { secureContext: context }) };
  }
}

/** @param prefix what stands before each target. */
const requester =
  (protocol: typeof http | typeof https, options: http.RequestOptions, prefix = "", added: OutgoingHeaders = {}) =>
  (method: string, target: string, headers: OutgoingHeaders): ClientRequest =>
    protocol.request({ ...options, maxHeaderSize, method, path: prefix + target, headers: { ...added, ...headers } });
