import {
  authenticate,
  chain,
  dockerConfig,
  dockerHttpHeaders,
  environment,
  fetchToken,
  type Keychain,
} from "../auth/index.ts";
import type { Body, OnEvent } from "../content/index.ts";
import { aborted, isDrayError } from "../errors.ts";
import {
  type BudgetOptions,
  budget,
  type ConnectionOptions,
  certsD,
  connection,
  type Handler,
  type HeaderPairs,
  type Middleware,
  pipeline,
  proxyFor,
  type RetryOptions,
  redirect,
  retry,
  systemClock,
  type TraceRecord,
  trace,
  warnings,
} from "../http/index.ts";
import { refuseNumber } from "../numbers.ts";
import { parseRegistry } from "../oci/index.ts";
import { createApi, type Settings } from "./api.ts";
import { endpoint, originsOf } from "./endpoint.ts";
import { createRegistry, type Registry } from "./registry.ts";
import { savedSessions, stateDirectory } from "./saved-sessions.ts";
import { speaksTls } from "./speaks-tls.ts";

/** Who asks, how the registry is reached, and how patient we are. Everything may be left out. */
export interface ConnectOptions {
  /** Finds credentials. Default: the environment, then the files of docker and podman. */
  readonly credentials?: Keychain | undefined;
  /** PEM of authorities that are trusted besides the usual ones. */
  readonly ca?: string | readonly string[] | undefined;
  /** PEM of our certificate and its key, for registries that want one. */
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  /** Speaks plain http where there is no https. Default: only to this machine and private addresses. */
  readonly plainHttp?: boolean | undefined;
  /** Speaks https whatever certificate the registry has: anybody may be between. Default: no. */
  readonly skipTlsVerify?: boolean | undefined;
  /** Both, where they are not said. */
  readonly insecure?: boolean | undefined;
  /** URL of a proxy, or `false` for none. Default: what the environment says. */
  readonly proxy?: string | false | undefined;
  /**
   * Carries the requests in place of `node:http`: a registry in this process. What is said of the way to a registry is its own then: `timeouts`,
   * `proxy`, `ca`, `cert`, `key` and `skipTlsVerify` act on nothing. It ends when a request's signal does.
   */
  readonly connection?: Handler | undefined;
  readonly retry?: RetryOptions | undefined;
  readonly budget?: BudgetOptions | undefined;
  /** Milliseconds: to connect, until headers come, between two pieces of a body, and until a large upload is acknowledged. */
  readonly timeouts?: NonNullable<ConnectionOptions["timeouts"]> | undefined;
  /** Hears of every request on the wire. No credential is in it. */
  readonly trace?: ((record: TraceRecord) => void) | undefined;
  readonly userAgent?: string | undefined;
  /** Hosts, addresses and CIDRs that a public registry may lead to although they are private. */
  readonly allowPrivate?: readonly string[] | undefined;
  /** Where upload sessions are noted, so that a push that was killed goes on; `false`: nowhere. Default `$XDG_STATE_HOME/dray`. */
  readonly stateDir?: string | false | undefined;
  /** Bytes: larger blobs are uploaded in chunks of this size. Default: whole, and in chunks where that does not get through. */
  readonly chunkSize?: number | undefined;
  /** Reads layers that may not be passed on, and that the registry does not have, from the `urls` of their descriptors. Default: no. */
  readonly foreignLayers?: boolean | undefined;
  /** Hears of retries, throttling and warnings, where a call has no `onEvent` of its own. */
  readonly onEvent?: OnEvent | undefined;
}

/**
 * Gets ready to speak to a registry. Nothing is sent before it is needed. Everything asked of the result shares its
 * connections, its budget and its tokens, so make one per registry and close it in the end.
 * @throws DrayError `REFERENCE_INVALID`
 * @example
 * const registry = connect("ghcr.io");
 * for await (const tag of registry.repository("dray/sample").tags()) console.log(tag);
 * await registry.close();
 */
export const connect = (name: string, given: ConnectOptions = {}): Registry => {
  const registry = parseRegistry(name);
  const options = patient(given);
  const { insecure = false, plainHttp = insecure, skipTlsVerify = insecure, onEvent } = options;
  const origins = originsOf(registry, plainHttp);
  const wire: Wire =
    options.connection === undefined
      ? wireTo(registry, origins, { ...options, skipTlsVerify })
      : { send: endingInOurWords(options.connection) };
  const onWarning = (message: string): void => onEvent?.({ type: "warning", message });
  const ownBudget = budget(options.budget);
  const traced: readonly Middleware[] = [
    ...(options.userAgent === undefined ? [] : [withHeaders([["User-Agent", options.userAgent]])]),
    ...(options.trace === undefined ? [] : [trace(options.trace)]),
  ];
  // Not repeated here: a token is asked for on behalf of a request, which is repeated as a whole.
  const services = pipeline(wire.send, ownBudget, ...traced);
  const identity = {
    registry,
    credentials: options.credentials ?? chain(environment(process.env, { onWarning }), dockerConfig({ onWarning })),
    tokens: services,
    onWarning,
    allowPrivate: options.allowPrivate,
  };
  const authenticated = authenticate({ ...identity, origins, plainHttp });
  const below = pipeline(wire.send, authenticated, ownBudget, ...traced);
  const handler = pipeline(below, warnings({ onEvent }), retry(options.retry), redirect());
  const findOrigin = endpoint(registry, {
    plainHttp,
    send: below,
    ...(options.connection === undefined ? { detectTls: tlsDetector(options.proxy) } : {}),
  });
  const api = createApi(registry, {
    handler,
    endpoint: findOrigin,
    settings: settingsOf({ ...options, plainHttp }, onWarning),
  });
  // What somebody else plugged in is theirs to close.
  return createRegistry(api, {
    close: async () => wire.close?.(),
    token: async (scopes, { signal } = {}) => {
      const patient = pipeline(services, retry(options.retry));
      const asking = { scopes, origin: await findOrigin(signal), connection: patient, tokens: patient };
      return fetchToken({ ...identity, ...asking, signal });
    },
  });
};

/** The same with one patience for all: what budget and repetitions have is asked of one option. Refuses numbers that mean nothing. */
const patient = (options: ConnectOptions): ConnectOptions => {
  const { budget: limits = {}, retry: repeating = {}, timeouts = {}, chunkSize } = options;
  refuseNumber("chunkSize", chunkSize);
  for (const [name, value] of Object.entries(timeouts)) refuseNumber(`timeouts.${name}`, value, { fractions: true });
  refuseNumber("retry.attempts", repeating.attempts);
  refuseNumber("budget.maxWait", limits.maxWait, { from: 0, fractions: true });
  refuseNumber("retry.maxWait", repeating.maxWait, { from: 0, fractions: true });
  const waits = [limits.maxWait, repeating.maxWait].filter((wait) => wait !== undefined);
  if (waits.length === 0) return options;
  const maxWait = Math.min(...waits);
  return { ...options, budget: { ...limits, maxWait }, retry: { ...repeating, maxWait } };
};

/** A connection from elsewhere may end with the signal's own reason: whoever called us is told as by ours. */
const endingInOurWords =
  (connection: Handler): Handler =>
  async (request) => {
    const { signal } = request;
    const restate = (error: unknown): unknown =>
      signal?.aborted === true && !isDrayError(error) ? aborted(signal) : error;
    try {
      const response = await connection(request);
      return signal === undefined ? response : { ...response, body: watchedBody(response.body, restate) };
    } catch (error) {
      throw restate(error);
    }
  };

const watchedBody = (body: Body, restate: (error: unknown) => unknown): Body => ({
  length: body.length,
  chunks: watched(body, restate),
  discard: () => body.discard(),
});

async function* watched(body: Body, restate: (error: unknown) => unknown): AsyncGenerator<Uint8Array> {
  try {
    yield* body.chunks;
  } catch (error) {
    throw restate(error);
  }
}

/** A server that is reached through a proxy is not seen from here. */
const tlsDetector =
  (proxy: string | false | undefined) =>
  async (host: URL, signal: AbortSignal): Promise<boolean | undefined> =>
    typeof proxy === "string" || (proxy === undefined && proxyFor(host, process.env) !== undefined)
      ? undefined
      : speaksTls(host.hostname.replace(/^\[|\]$/g, ""), Number(host.port || 443), detectionTime, signal);

/** Milliseconds. Servers nearby answer in one or two; who does not is asked again in full. */
const detectionTime = 500;

const settingsOf = (options: ConnectOptions, onWarning: (message: string) => void): Settings => {
  const { chunkSize, foreignLayers = false, plainHttp = false, onEvent, stateDir = stateDirectory() } = options;
  const { retry = {} } = options;
  return {
    retry,
    clock: retry.clock ?? systemClock,
    foreignLayers,
    plainHttp,
    chunkSize,
    sessions: stateDir === false ? undefined : savedSessions(stateDir, { onWarning }),
    onEvent,
  };
};

/** Adds headers to the requests to these origins, or to every host on the way. */
const withHeaders =
  (headers: HeaderPairs, origins?: readonly string[]): Middleware =>
  (next) =>
  (request) =>
    next(
      origins === undefined || (origins.includes(request.origin) && request.context?.foreign !== true)
        ? { ...request, headers: [...request.headers, ...headers] }
        : request,
    );

/** What carries requests, and how to let go of it. */
interface Wire {
  readonly send: Handler;
  readonly close?: () => Promise<void>;
}

/**
 * The connection to a registry over `node:http`. It is made when the first request comes: what docker and podman keep for
 * the host (`certs.d`), and the headers that docker's configuration has for every request, are read then. These may hold a secret, and go to
 * the registry alone. What the caller gives wins over what is stored; authorities add up.
 */
const wireTo = (registry: string, origins: readonly string[], settings: ConnectionOptions): Required<Wire> => {
  let made: Promise<Required<Wire>> | undefined;
  const make = async (): Promise<Required<Wire>> => {
    // What is wrong with docker's configuration its keychain says.
    const [stored, headers] = await Promise.all([certsD(registry), dockerHttpHeaders().catch(() => [])]);
    const isOurs = settings.cert !== undefined || settings.key !== undefined;
    const send = connection({
      ...settings,
      registry: new URL(origins[0] as string).host,
      ca: [settings.ca ?? [], stored?.ca ?? []].flat(),
      ...(isOurs || !stored?.cert.length ? {} : { cert: stored.cert, key: stored.key }),
    });
    return { send: headers.length === 0 ? send : withHeaders(headers, origins)(send), close: () => send.close() };
  };
  return {
    send: async (request) => (await (made ??= make())).send(request),
    close: async () => (await made?.catch(() => undefined))?.close(),
  };
};
