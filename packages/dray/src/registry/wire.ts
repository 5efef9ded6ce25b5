import { dockerHttpHeaders } from "../auth/index.ts";
import {
  type CertsDSettings,
  type Connection,
  type ConnectionOptions,
  certsD,
  connection,
  type Handler,
  type HeaderPairs,
  type Middleware,
} from "../http/index.ts";

/** What carries requests, and how to let go of it. */
export interface Wire {
  readonly send: Handler;
  readonly close?: () => Promise<void>;
}

type Settings = Omit<ConnectionOptions, "registry" | "env" | "resolve">;

/**
 * The connection to a registry over `node:http`. It is made when the first request comes: what docker and podman keep for
 * the host (`certs.d`), and the headers that docker's configuration has for every request, are read then.
 */
export const wireTo = (registry: string, origins: readonly string[], settings: Settings): Wire => {
  let made: Promise<Connection> | undefined;
  const make = async (): Promise<Connection> => {
    // What is wrong with docker's configuration its keychain says.
    const [stored, headers] = await Promise.all([certsD(registry), dockerHttpHeaders().catch(() => [])]);
    const send = connection(withStored(new URL(origins[0] as string).host, settings, stored));
    return headers.length === 0 ? send : Object.assign(headed(headers, origins)(send), { close: () => send.close() });
  };
  return {
    send: async (request) => (await (made ??= make()))(request),
    close: async () => {
      const ready = await made?.catch(() => undefined);
      await ready?.close();
    },
  };
};

/** What the caller gives wins over what is stored; authorities add up. */
const withStored = (
  registry: string,
  { ca, cert, key, insecure, proxy, timeouts, allowPrivate }: Settings,
  stored: CertsDSettings | undefined,
): ConnectionOptions => ({
  registry,
  ca: [...[ca ?? []].flat(), ...(stored?.ca ?? [])],
  ...identity(cert, key, stored),
  ...(insecure === undefined ? {} : { insecure }),
  ...(proxy === undefined ? {} : { proxy }),
  ...(timeouts === undefined ? {} : { timeouts }),
  ...(allowPrivate === undefined ? {} : { allowPrivate }),
});

const identity = (
  cert: Settings["cert"],
  key: Settings["key"],
  stored: CertsDSettings | undefined,
): Pick<ConnectionOptions, "cert" | "key"> => {
  if (cert !== undefined || key !== undefined)
    return { ...(cert === undefined ? {} : { cert }), ...(key === undefined ? {} : { key }) };
  return stored === undefined || stored.cert.length === 0 ? {} : { cert: stored.cert, key: stored.key };
};

/** The headers of docker's configuration go to the registry alone: they may hold a secret. */
const headed =
  (headers: HeaderPairs, origins: readonly string[]): Middleware =>
  (next) =>
  (request) =>
    next(origins.includes(request.origin) ? { ...request, headers: [...request.headers, ...headers] } : request);
