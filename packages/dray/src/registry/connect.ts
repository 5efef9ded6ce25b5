import { anonymous, authenticate, chain, dockerConfig, environment, fetchToken, type Keychain } from "../auth/index.ts";
import {
  budget,
  type Middleware,
  pipeline,
  proxyFor,
  redirect,
  retry,
  systemClock,
  trace,
  warnings,
  withHeaders,
  withoutCoding,
} from "../http/index.ts";
import { version } from "../version.ts";
import { type Api, createApi, type Elsewhere, type Settings } from "./api.ts";
import { type ConnectOptions, checkedOptions, type HostPurpose, pairsOf } from "./connect-options.ts";
import { endpoint, namedRegistry, originsOf } from "./endpoint.ts";
import { guessing } from "./guess.ts";
import { mirrorOptions } from "./mirror-options.ts";
import { isInsecure, type Mirror, type MirroredRepository, mirroring } from "./mirrors/index.ts";
import { createRegistry, type Registry } from "./registry.ts";
import { savedSessions, stateDirectory } from "./saved-sessions.ts";
import { speaksTls } from "./speaks-tls.ts";
import { onlyAllowed, wireTo } from "./wire.ts";

/**
 * Gets ready to speak to a registry. Nothing is sent before it is needed. Everything asked of the result shares its
 * connections, its budget and its tokens, so make one per registry and close it in the end, which `await using` does.
 * @param name host and port, as references begin; or a URL (`http://localhost:5000`), whose scheme alone is spoken then
 * @throws DrayError `REFERENCE_INVALID`, `USAGE`
 * @example
 * await using registry = connect("ghcr.io");
 * for await (const tag of registry.repository("dray/sample").tags()) console.log(tag);
 */
export const connect = (name: string, given: ConnectOptions = {}): Registry => {
  const { api, ...rest } = reach(name, given);
  return createRegistry(api, rest, given.prefix);
};

/** A registry as its API, and what is asked of it besides. */
type Reached = Pick<Registry, "token" | "close"> & { readonly api: Api };

const reach = (name: string, given: ConnectOptions): Reached => {
  const { registry, scheme } = namedRegistry(name);
  const asked = checkedOptions(given);
  const { ambient = true, onEvent } = asked;
  const { insecure = isInsecure(asked.mirrors?.rules ?? [], registry) || undefined } = asked;
  const { plainHttp = insecure || undefined, skipTlsVerify = insecure } = asked;
  const options = { ...asked, plainHttp, skipTlsVerify };
  const origins = originsOf(registry, plainHttp, scheme).map((origin) => new URL(origin).origin);
  const wire = wireTo(registry, origins, options);
  const onWarning = (message: string): void => onEvent?.({ type: "warning", message });
  const ownBudget = budget(options.budget, wire.openAhead);
  const { own, withOwnAuthorization } = ownHeaders(options, origins);
  const near: readonly Middleware[] = [ownBudget, ...own, withoutCoding, ...around(options)];
  const allowedFor = (elsewhere: HostPurpose): Middleware =>
    onlyAllowed(options, registry, (origin) => (origins.includes(origin) ? "registry" : elsewhere));
  // Not repeated here: a token is asked for on behalf of a request, which is repeated as a whole.
  const services = pipeline(wire.send, allowedFor("token"), ...near);
  const identity = {
    registry,
    credentials: options.credentials ?? (ambient ? usualKeychain(onWarning) : anonymous),
    whenRefused: options.whenRefused,
    tokens: services,
    onWarning,
    allowPrivate: options.allowPrivate,
  };
  const authenticated = authenticate({ ...identity, origins, plainHttp: plainHttp === true || scheme === "http" });
  const below = pipeline(wire.send, ...withOwnAuthorization, authenticated, allowedFor("redirect"), ...near);
  const heard = warnings({ onEvent });
  const handler = pipeline(below, heard, retry(options.retry), redirect({ plainHttp }));
  const findOrigin = endpoint(registry, {
    plainHttp,
    scheme,
    send: below,
    // Somebody else's connection knows where it leads; a host that may not be visited is not looked at either.
    ...(options.connection === undefined && options.allowHost === undefined
      ? { detectTls: tlsDetector(ambient ? options.proxy : (options.proxy ?? false)) }
      : {}),
  });
  const [secure = "", plain] = origins;
  const wantsTls = options.ca !== undefined || options.cert !== undefined;
  const isBare =
    options.allowHost === undefined &&
    options.middleware === undefined &&
    own.length === 0 &&
    withOwnAuthorization.length === 0;
  const guess =
    plain === undefined || !isBare
      ? undefined
      : guessing(findOrigin, {
          origin: wantsTls ? secure : plain,
          send: pipeline(wire.send, heard, ...near),
          mayGuess: wire.isBare,
        });
  const settings = settingsOf(options, onWarning);
  const expect = (requests: number): void =>
    void findOrigin().then(
      (origin) => ownBudget.expect(origin, requests),
      () => {},
    );
  const mirrors = mirrorsOf(registry, asked, onWarning);
  const api = createApi(registry, {
    handler,
    endpoint: findOrigin,
    guess,
    expect,
    elsewhere: mirrors?.elsewhere,
    settings,
  });
  return {
    api,
    close: async () => void (await Promise.all([wire.close(), mirrors?.close()])),
    token: async (scopes, { signal } = {}) => {
      const patient = pipeline(services, retry(options.retry));
      const asking = { scopes, origin: await findOrigin(signal), connection: patient, tokens: patient };
      return fetchToken({ ...identity, ...asking, signal });
    },
  };
};

/** The mirrors of a registry, each connected to as a registry when it is first asked. They have no mirrors themselves. */
const mirrorsOf = (
  registry: string,
  options: ConnectOptions,
  onWarning: (message: string) => void,
): { readonly elsewhere: Elsewhere; readonly close: () => Promise<void> } | undefined => {
  const { mirrors, retry: { clock = systemClock } = {} } = options;
  if (mirrors === undefined || mirrors.rules.length === 0) return undefined;
  const reached = new Map<Mirror, Map<string, Reached>>();
  const reachMirror = ({ mirror, host }: MirroredRepository, last: boolean): Api => {
    const ofMirror = reached.get(mirror) ?? new Map<string, Reached>();
    reached.set(mirror, ofMirror);
    const there = ofMirror.get(host) ?? reach(host, mirrorOptions(mirror, options, last));
    ofMirror.set(host, there);
    return there.api;
  };
  return {
    elsewhere: mirroring({ registry, rules: mirrors.rules, reach: reachMirror, clock, onWarning }),
    close: async () => {
      const all = [...reached.values()].flatMap((ofMirror) => [...ofMirror.values()]);
      await Promise.all(all.map(({ close }) => close()));
    },
  };
};

const usualKeychain = (onWarning: (message: string) => void): Keychain =>
  chain(environment(process.env, { onWarning }), dockerConfig({ onWarning }));

/** The caller's headers for the registry. An authorization goes out before ours is made, which is then left alone. */
const ownHeaders = (
  { headers }: ConnectOptions,
  origins: readonly string[],
): { readonly own: readonly Middleware[]; readonly withOwnAuthorization: readonly Middleware[] } => {
  const pairs = pairsOf(headers);
  const of = (wanted: boolean): readonly Middleware[] => {
    const chosen = pairs.filter(([name]) => (name.toLowerCase() === "authorization") === wanted);
    return chosen.length === 0 ? [] : [withHeaders(chosen, origins)];
  };
  return { own: of(false), withOwnAuthorization: of(true) };
};

/** What every request passes just before the wire, whatever host it goes to. */
const around = ({ userAgent, middleware = [], trace: record }: ConnectOptions): readonly Middleware[] => [
  withHeaders([["User-Agent", [userAgent, `dray/${version}`].filter(Boolean).join(" ")]]),
  ...[middleware].flat(),
  ...(record === undefined ? [] : [trace(record)]),
];

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
  const { chunkSize, foreignLayers = false, plainHttp = false, onEvent, ambient = true } = options;
  const { retry = {}, stateDir = ambient && stateDirectory() } = options;
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
