import { setTimeout as sleep } from "node:timers/promises";
import { SingleFlight } from "../async/index.ts";
import { DrayError, isDrayError, throwIfAborted } from "../errors.ts";
import { type Handler, isAllowed, redactUrl } from "../http/index.ts";
import { parseRegistry } from "../oci/index.ts";

/** Where a registry answers: `https://registry-1.docker.io`. Decided at the first call, the same ever after. */
export type Endpoint = (signal?: AbortSignal) => Promise<string>;

export interface EndpointOptions {
  /** Plain http is tried wherever https fails; `false`: nowhere. Default: where the registry is nearby. */
  readonly plainHttp?: boolean | undefined;
  /** The only one that is spoken. */
  readonly scheme?: "http" | "https" | undefined;
  /** Sends a probe, with neither credentials nor retries. */
  readonly send: Handler;
  /** Finds out whether a server speaks TLS, where that costs less than a probe; `undefined`: it cannot tell. */
  readonly detectTls?: (host: URL, signal: AbortSignal) => Promise<boolean | undefined>;
  /** Milliseconds that https has for itself before http is tried beside it: a firewall may swallow its packets. */
  readonly headStart?: number | undefined;
}

/**
 * Finds the endpoint of a registry. Most hosts speak https or are not spoken to, which needs no request. Hosts that may
 * speak plain http are probed, https first.
 * @throws DrayError what went wrong with https; the message tells both where both were tried.
 */
export const endpoint = (registry: string, options: EndpointOptions): Endpoint => {
  const [secure, plain] = originsOf(registry, options.plainHttp, options.scheme);
  if (plain === undefined) return async () => secure;
  const probes = new SingleFlight<string>();
  let decided: string | undefined;
  return async (signal) => {
    decided ??= await probes.run(
      registry,
      (flight) => probeBoth(registry, [secure, plain], options, flight.signal),
      signal,
    );
    return decided;
  };
};

/** This machine and private networks: plain http to them crosses nobody else's. */
const nearby = ["127.0.0.0/8", "::1", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "localhost", "*.localhost"];

/** The origins a registry may be found at, in the order they are tried. Unless it is asked for, plain http is only for machines nearby. */
export const originsOf = (
  registry: string,
  plainHttp: boolean | undefined,
  scheme?: "http" | "https",
): readonly [only: string] | readonly [secure: string, plain: string] => {
  if (registry === "docker.io") return ["https://registry-1.docker.io"];
  if (scheme !== undefined) return [`${scheme}://${registry}`];
  const secure = `https://${registry}`;
  return (plainHttp ?? isNearby(registry)) ? [secure, `http://${registry}`] : [secure];
};

/** A registry as it is named, and the scheme where it is named by a URL. */
export interface NamedRegistry {
  readonly registry: string;
  readonly scheme?: "http" | "https";
}

/**
 * Reads the name of a registry: `ghcr.io`, or a URL, whose scheme is the only one that is spoken then.
 * @throws DrayError `REFERENCE_INVALID`, also for plain http to Docker Hub, and for a path; `USAGE` for what is no text
 */
export const namedRegistry = (name: string): NamedRegistry => {
  if (typeof name !== "string")
    throw new DrayError("USAGE", `connect wants the name of a registry, such as "ghcr.io"; it got ${String(name)}`);
  const [, scheme, host = name, path = ""] = /^(https?):\/\/([^/?#]*)(.*)$/i.exec(name) ?? [];
  if (scheme === undefined) return { registry: parseRegistry(name) };
  const registry = parseRegistry(host);
  if (!/^\/?(?:v[12]\/?)?$/.test(path))
    throw new DrayError(
      "REFERENCE_INVALID",
      `registry "${redactUrl(name)}" has a path, which no registry is under; leave it out`,
    );
  const isPlain = scheme.toLowerCase() === "http";
  if (isPlain && registry === "docker.io")
    throw new DrayError("REFERENCE_INVALID", `registry "${name}": Docker Hub speaks https only`);
  return { registry, scheme: isPlain ? "http" : "https" };
};

const isNearby = (registry: string): boolean => {
  const [, address, name = ""] = /^(?:\[([^\]]*)\]|([^:]*))/.exec(registry) ?? [];
  return isAllowed(nearby, address ?? name, address ?? name);
};

const probeBoth = async (
  registry: string,
  [secure, plain]: readonly [string, string],
  { send, detectTls, headStart = 2000 }: EndpointOptions,
  signal: AbortSignal,
): Promise<string> => {
  const speaksTls = await detectTls?.(new URL(secure), signal);
  if (speaksTls !== undefined) return speaksTls ? secure : plain;
  const stop = new AbortController();
  const either = AbortSignal.any([signal, stop.signal]);
  const first = probe(send, secure, either);
  const second = new Promise<void>((begin, stay) => {
    // A certificate of ours that cannot be used is no reason to do without.
    first.catch((error: unknown) => (isDrayError(error, "CONFIG_INVALID") ? stay(error) : begin()));
    sleep(headStart, undefined, { signal: either }).then(begin, () => {});
  }).then(() => probe(send, plain, either));
  try {
    return await Promise.any([first, second]);
  } catch (error) {
    throwIfAborted(signal);
    throw bothFailed(registry, (error as AggregateError).errors);
  } finally {
    stop.abort();
  }
};

const probe = async (send: Handler, origin: string, signal: AbortSignal): Promise<string> => {
  const request = { method: "GET", origin, target: "/v2/", headers: [], signal };
  const { status, body } = await send({ ...request, context: { retry: false } });
  await body.discard();
  // What a server that only speaks TLS says to plain http.
  if (status === 400 && origin.startsWith("http:"))
    throw new DrayError("REGISTRY", `${origin} answers 400 and speaks https only`, { status });
  return origin;
};

const bothFailed = (registry: string, errors: readonly unknown[]): unknown => {
  const [secure, plain] = errors;
  if (secure === plain) return secure;
  if (!isDrayError(secure) || !isDrayError(plain)) return isDrayError(secure) ? plain : secure;
  // Nobody is there to speak either: once is enough.
  if (secure.message === plain.message) return secure;
  const message = `${registry} answers neither https nor http: with https, ${secure.message}; with http, ${plain.message}`;
  const retryable = secure.retryable || plain.retryable;
  return new DrayError(secure.code, message, {
    registry,
    retryable,
    cause: secure,
    remedy: secure.remedy ?? plain.remedy,
  });
};
