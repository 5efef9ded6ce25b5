import { DrayError, isDrayError, throwIfAborted } from "../errors.ts";
import { addressGuard, type ResolveHost } from "./address-guard.ts";
import { bodySize, exchange, type Timeouts } from "./exchange.ts";
import { proxyRefusal } from "./proxy.ts";
import { type OutgoingHeaders, type Route, type RouteOptions, Routes } from "./routes.ts";
import { breaksRules, isUntrusted } from "./transport-error.ts";

import { type Handler, type HttpRequest, type HttpResponse, isContent, type OpenAhead } from "./types.ts";

/** How a connection is made: certificates, proxy, time limits, addresses. */
export interface ConnectionOptions extends RouteOptions {
  /**
   * Host (and port) of the registry this connection serves. Other hosts it leads to are not shown the client certificate, and may not have
   * private addresses where the registry has a public one.
   */
  readonly registry?: string | undefined;
  /** Milliseconds. Default: connect 30 s, headers 60 s, idle 60 s; commit, the wait for an answer of the time-out class `commit`, 15 minutes. */
  readonly timeouts?: Partial<Timeouts> | undefined;
  /** Hosts, `*.suffix`, addresses and CIDRs where private addresses are allowed all the same. */
  readonly allowPrivate?: readonly string[] | undefined;
  /** Looks names up. Default: the system's resolver. */
  readonly resolve?: ResolveHost | undefined;
}

/** A handler that holds connections. */
export type Connection = Handler & {
  /** Opens connections for requests to come, until there are `total`: to an origin that has answered, and closes none. */
  readonly openAhead: OpenAhead;
  /** Lets go of every connection; requests under way fail. */
  close(): Promise<void>;
};

const defaults: Timeouts = { connect: 30_000, headers: 60_000, idle: 60_000, commit: 900_000 };
/** From this size on the server is asked first whether it wants the body: then a 401 or a redirect costs no upload. */
const worthAsking = 1 << 20;
/** RFC 9110 §10.1.1: nobody waits for a 100 for ever; not every server and proxy knows it. */
const continueWait = 1_000;

/**
 * The client's side of the wire: a Handler over `node:http`, with a pool of kept connections for each way out. It follows nothing, decodes nothing, and
 * repeats nothing but what met a kept connection that the server closed at that moment, or an answer that breaks rules of HTTP: such an origin is
 * read leniently from then on, each answer over a connection of its own. An origin is
 * `https://host:port`, `http://host:port` or `unix:/path/of/socket`.
 * @throws DrayError `NETWORK`, `TLS`, `TIMEOUT`, `ADDRESS_REFUSED`, `SIZE_MISMATCH`, `CONFIG_INVALID`, `ABORTED`
 * @example
 * const send = connection({ registry: "registry.example", ca: pem });
 * const response = await send({ method: "GET", origin: "https://registry.example", target: "/v2/", headers: [] });
 * await response.body.discard();
 * await send.close();
 */
export const connection = (options: ConnectionOptions = {}): Connection => {
  const { registry, allowPrivate = [], resolve } = options;
  const timeouts: Timeouts = { ...defaults, ...options.timeouts };
  const guard = addressGuard({ allowPrivate, registry: registry && hostnameOf(registry), resolve });
  const routes = new Routes(options, guard, timeouts.connect);
  const answeredBefore = new Set<string>();
  const neverContinue = new Set<string>();
  /** Origins that close connections without a word: no body is sent over one that was used before. */
  const closesSilently = new Set<string>();
  /** Origins whose answers break rules. */
  const unruly = new Set<string>();
  const closing = new AbortController();

  const once = async (request: HttpRequest, route: Route, asking: boolean, alone = false): Promise<HttpResponse> => {
    const { origin, body } = request;
    const lenient = unruly.has(origin);
    const mannered = {
      alone: alone || lenient || endsConnection(request) || (body !== undefined && closesSilently.has(origin)),
      lenient,
    };
    let begun = false;
    const wire = route.request(request.method, request.target, outgoing(request, asking), mannered);
    try {
      const response = await exchange(wire, request, {
        circumstances: {
          host: route.host,
          proxy: route.proxy,
          tlsToProxy: route.tlsToProxy,
          answeredBefore: answeredBefore.has(origin),
          lenient,
        },
        timeouts,
        closing: closing.signal,
        asking: asking ? continueWait : undefined,
        unanswered: () => neverContinue.add(origin),
        sending: () => (begun = true),
        unruly: () => unruly.add(origin),
      });
      if (response.status === 407 && route.proxy !== undefined) {
        await response.body.discard();
        throw proxyRefusal(route.proxy, route.host, 407);
      }
      answeredBefore.add(origin);
      return response;
    } catch (error) {
      if (mayBeStale(request, error) && (!begun || isSmall(request))) {
        if (wire.reusedSocket && !isRead(request)) closesSilently.add(origin);
        if (!begun || isRepeatable(request)) {
          if (wire.reusedSocket) return once(request, route, asking, !isRead(request));
          if (route.foundClosed(wire)) return once(request, route, asking, alone);
        }
      }
      if (breaksRules(error) && !lenient && isRead(request)) return once(request, route, asking);
      const unread = body === undefined || isContent(body);
      if (unread && isUntrusted(error) && routes.trustSystem(route))
        return once(request, await routes.to(origin), asking);
      throw error;
    }
  };

  const send = async (request: HttpRequest): Promise<HttpResponse> => {
    throwIfAborted(request.signal);
    throwIfAborted(closing.signal);
    const route = await routes.to(request.origin);
    throwIfAborted(closing.signal);
    await guard.check(route.hostname, { proxied: route.proxy !== undefined });
    const asking = isWorthAsking(request) && !neverContinue.has(request.origin);
    const response = await once(request, route, asking);
    if (response.status !== 417 || !asking || request.body === undefined || !isContent(request.body)) return response;
    // RFC 9110 §15.5.18: it does not know the question; ask without.
    neverContinue.add(request.origin);
    await response.body.discard();
    return once(request, route, false);
  };

  const openAhead: OpenAhead = (origin, total, refused) => {
    const behaves = answeredBefore.has(origin) && !unruly.has(origin) && !closesSilently.has(origin);
    if (behaves && !closing.signal.aborted) routes.known(origin)?.openAhead(total, refused);
  };
  const close = async (): Promise<void> => {
    closing.abort(new DrayError("ABORTED", "the connection was closed"));
    routes.close();
  };
  return Object.assign(send, { openAhead, close });
};

const hostnameOf = (registry: string): string => new URL(`https://${registry}`).hostname.replace(/^\[(.*)\]$/, "$1");

const isWorthAsking = ({ body, context }: HttpRequest): boolean =>
  body !== undefined && context?.wanted !== true && (bodySize(body) ?? Infinity) >= worthAsking;

/**
 * The server may have closed the connection that stood while our request was on its way: it has not seen it (RFC 9112 §9.3.1). A deletion is not repeated here:
 * whoever does has to know what it means that nothing is there the second time.
 */
const mayBeStale = ({ method, signal }: HttpRequest, error: unknown): boolean =>
  method !== "DELETE" && signal?.aborted !== true && isDrayError(error, "NETWORK");

/** Bytes of a body that may go out twice: a larger upload asks its session first how far it got. */
const smallBody = 1 << 20;

const isSmall = ({ body }: HttpRequest): boolean =>
  body === undefined || (isContent(body) && (bodySize(body) ?? Infinity) <= smallBody);

/** What of a PATCH has arrived may have been added already (RFC 5789 §2): an upload asks its session first, however little it was. */
const isRepeatable = ({ method }: HttpRequest): boolean => method !== "PATCH";

const isRead = ({ method, body }: HttpRequest): boolean =>
  (method === "GET" || method === "HEAD") && body === undefined;

/** RFC 9112 §9.6: what says so ends its connection, whether the answer repeats it or not. */
const endsConnection = ({ headers }: HttpRequest): boolean =>
  headers.some(([name, value]) => /^connection$/i.test(name) && /\bclose\b/i.test(value));

/** Headers for the wire: the framing is ours, since we know the body. */
const outgoing = ({ method, headers, body }: HttpRequest, asking: boolean): OutgoingHeaders => {
  const result: OutgoingHeaders = {};
  for (const [name, value] of headers) {
    if (/^(?:content-length|transfer-encoding|expect)$/i.test(name)) continue;
    const before = result[name];
    result[name] = before === undefined ? value : [before, value].flat();
  }
  const size = body === undefined ? 0 : bodySize(body);
  if (size === undefined) result["Transfer-Encoding"] = "chunked";
  else if (body !== undefined || /^(?:POST|PUT|PATCH)$/.test(method)) result["Content-Length"] = String(size);
  if (asking) result["Expect"] = "100-continue";
  return result;
};
