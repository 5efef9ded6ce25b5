import { Lazy } from "../async/index.ts";
import { dockerHttpHeaders } from "../auth/index.ts";
import { DrayError } from "../errors.ts";
import {
  type ConnectionOptions,
  certsD,
  connection,
  type Handler,
  type Middleware,
  type OpenAhead,
  pluggedConnection,
  unsendable,
  withHeaders,
} from "../http/index.ts";
import { type ConnectOptions, cannotBeSent, type HostPurpose } from "./connect-options.ts";

/** What carries requests, and how to let go of it. */
export interface Wire {
  readonly send: Handler;
  /** Whether requests go as they are, and over a connection of our own. */
  readonly isBare: () => Promise<boolean>;
  /** Where the connections are ours. */
  readonly openAhead: OpenAhead;
  readonly close: () => Promise<void>;
}

/** The way to a registry: what was plugged in, which is somebody else's to close, or a connection of our own. */
export const wireTo = (registry: string, origins: readonly string[], options: ConnectOptions): Wire =>
  options.connection === undefined
    ? overHttp(registry, origins, options)
    : {
        send: pluggedConnection(options.connection),
        isBare: async () => false,
        openAhead: () => {},
        close: async () => {},
      };

/**
 * The connection over `node:http`. It is made when the first request comes: what docker and podman keep for the host (`certs.d`), and
 * the headers that docker's configuration has for every request, are read then. These may hold a secret, and go to the registry alone. What
 * the caller gives wins over what is stored; authorities add up.
 */
const overHttp = (registry: string, origins: readonly string[], options: ConnectOptions): Wire => {
  const { ambient = true, proxy = ambient ? undefined : false, certName, ...settings } = options;
  const made = new Lazy<Wire>();
  let opening: OpenAhead | undefined;
  const make = async (): Promise<Wire> => {
    // What is wrong with docker's configuration its keychain says.
    const [stored, headers] = await Promise.all([
      ambient || certName !== undefined
        ? certsD(certName ?? registry, { required: certName !== undefined })
        : undefined,
      ambient ? dockerHttpHeaders().catch(() => []) : [],
    ]);
    const wrong = unsendable(headers);
    if (wrong !== undefined)
      throw new DrayError("CONFIG_INVALID", `HttpHeaders in docker's config.json: ${cannotBeSent(wrong)}`);
    const isOurs = settings.cert !== undefined || settings.key !== undefined;
    const send = connection({
      ...(settings satisfies ConnectionOptions),
      proxy,
      registry: new URL(origins[0] as string).host,
      ca: [settings.ca ?? [], stored?.ca ?? []].flat(),
      ...(isOurs || !stored?.cert.length ? {} : { cert: stored.cert, key: stored.key }),
    });
    const isBare = headers.length === 0;
    opening = send.openAhead;
    return {
      send: isBare ? send : withHeaders(headers, origins)(send),
      isBare: async () => isBare,
      openAhead: send.openAhead,
      close: () => send.close(),
    };
  };
  return {
    send: async (request) => (await made.get(make)).send(request),
    isBare: async () => (await made.get(make)).isBare(),
    openAhead: (origin, total, refused) => opening?.(origin, total, refused),
    close: async () => (await made.now().catch(() => undefined))?.close(),
  };
};

/**
 * Asks whether a host may be visited, before anything is sent to it.
 * @param purpose what hosts are visited for that are not the registry's own
 * @throws DrayError `ADDRESS_REFUSED`
 */
export const onlyAllowed =
  (
    { allowHost }: Pick<ConnectOptions, "allowHost">,
    registry: string,
    purposeOf: (origin: string) => HostPurpose,
  ): Middleware =>
  (next) =>
    allowHost === undefined
      ? next
      : async (request) => {
          const url = new URL(request.origin + request.target);
          const purpose = purposeOf(request.origin);
          if (await allowHost(url, purpose)) return next(request);
          const { host } = url;
          const what =
            purpose === "registry" ? `registry ${registry}` : `${host}, to which ${registry} leads (${purpose})`;
          throw new DrayError("ADDRESS_REFUSED", `${what}: this host is not allowed here (allowHost)`, {
            registry,
            host,
          });
        };
