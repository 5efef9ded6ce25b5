import { anonymous } from "../auth/index.ts";
import type { ConnectOptions } from "./connect-options.ts";
import type { Mirror } from "./mirrors/index.ts";

/** Milliseconds to connect: the next one may be there at once. */
const connectTime = 10_000;

/**
 * How a mirror is connected to: by the network that the registry is reached by, and as nobody that the registry knows. What is secret of the
 * registry's (credentials, headers, a client certificate) is not among it. It is asked once, unless nobody is asked after it.
 */
export const mirrorOptions = (mirror: Mirror, options: ConnectOptions, last: boolean): ConnectOptions => {
  const { ambient = true, mirrors, retry, budget, timeouts } = options;
  const { userAgent, middleware, allowHost, proxy, connection, trace, allowPrivate, onEvent } = options;
  return {
    userAgent,
    middleware,
    allowHost,
    proxy,
    connection,
    trace,
    allowPrivate,
    onEvent,
    ambient,
    credentials: mirrors?.credentials ?? (ambient ? undefined : anonymous),
    headers: mirror.headers,
    ca: [options.ca ?? [], mirror.ca ?? []].flat(),
    cert: mirror.cert,
    key: mirror.key,
    insecure: mirror.insecure,
    skipTlsVerify: mirror.skipTlsVerify,
    stateDir: false,
    retry: last ? retry : { ...retry, attempts: 1 },
    budget: last ? budget : { ...budget, maxWait: 0 },
    timeouts: last ? timeouts : { ...timeouts, connect: Math.min(timeouts?.connect ?? connectTime, connectTime) },
  };
};
