import { DrayError } from "../errors.ts";
import { inCidr, parseAddress, parseCidr } from "./addresses.ts";

/** Environment variables; `process.env` where nothing else is given. */
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The proxy that the environment names for a URL, or `undefined` for a direct connection: `HTTPS_PROXY` or `HTTP_PROXY`
 * by the URL's scheme, unless `NO_PROXY` holds its host; in capitals or not, capitals first. Loopback is always direct.
 *
 * `NO_PROXY` is a list by commas or spaces: `*`, a host (with its subdomains), `.suffix` or `*.suffix` (subdomains only), an
 * address, a CIDR; each but the last may carry a port.
 * A proxy speaks http, https or SOCKS 5 (`socks5://`, port 1080).
 * @throws DrayError `CONFIG_INVALID` if the proxy's URL makes no sense; its text is never in the message, it may hold a password.
 */
export const proxyFor = (url: URL, env: Environment): URL | undefined => {
  const name = url.protocol === "https:" ? "HTTPS_PROXY" : "HTTP_PROXY";
  const text = env[name]?.trim() || env[name.toLowerCase()]?.trim();
  if (!text) return undefined;
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  if (isLoopback(host) || isExcluded(host, portOf(url), env["NO_PROXY"] || env["no_proxy"] || "")) return undefined;
  return parseProxy(text, name);
};

/** Reads a proxy's URL; without a scheme it is an http proxy. `name` says in messages where it came from. */
export const parseProxy = (text: string, name: string): URL => {
  const full = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`;
  const url = URL.canParse(full) ? new URL(full) : undefined;
  if (url === undefined || url.hostname === "")
    throw new DrayError("CONFIG_INVALID", `${name} is no URL of a proxy; expected http://[user:password@]host:port`);
  if (!/^(?:https?|socks5h?):$/.test(url.protocol))
    throw new DrayError(
      "CONFIG_INVALID",
      `${name} names a ${url.protocol}// proxy; only http://, https:// and socks5:// are supported`,
    );
  return url;
};

const portOf = (url: URL): string => url.port || (url.protocol === "https:" ? "443" : "80");

const isLoopback = (host: string): boolean => {
  const address = parseAddress(host);
  if (address === undefined) return host === "localhost";
  return address.length === 4 ? address[0] === 127 : address.every((byte, at) => byte === (at === 15 ? 1 : 0));
};

const isExcluded = (host: string, port: string, list: string): boolean =>
  list
    .split(/[\s,]+/)
    .filter((entry) => entry !== "")
    .some((entry) => matches(entry.toLowerCase(), host, port));

const matches = (entry: string, host: string, port: string): boolean => {
  if (entry === "*") return true;
  const range = parseCidr(entry);
  const address = parseAddress(host);
  if (range !== undefined) return address !== undefined && inCidr(address, range);
  const [, name = entry, wantedPort] = /^(.*?)(?::(\d+))?$/.exec(entry) ?? [];
  if (wantedPort !== undefined && wantedPort !== port) return false;
  const exact = parseCidr(name);
  if (exact !== undefined) return address !== undefined && inCidr(address, exact);
  const suffix = name.replace(/^\*/, "");
  return suffix.startsWith(".") ? host.endsWith(suffix) : host === suffix || host.endsWith(`.${suffix}`);
};

/** What a proxy wants to know of us: `Basic` of the user and password in its URL. */
export const proxyAuthorization = (proxy: URL): { "Proxy-Authorization"?: string } => {
  const pair = credentialsIn(proxy);
  return pair === undefined ? {} : { "Proxy-Authorization": `Basic ${Buffer.from(pair.join(":")).toString("base64")}` };
};

/** The user and password in the URL of a proxy. */
export const credentialsIn = ({ username, password }: URL): readonly [string, string] | undefined =>
  username === "" && password === "" ? undefined : [decoded(username), decoded(password)];

/** A password may hold a `%` that begins no escape. */
const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
};

/** Host and port for node's requests, without the brackets of IPv6. */
export const hostAndPort = (url: URL): { host: string; port: number } => ({
  host: url.hostname.replace(/^\[(.*)\]$/, "$1"),
  port: Number(url.port) || (url.protocol === "https:" ? 443 : 80),
});

/** A proxy that does not let us through, as opposed to whoever is behind it. */
export const proxyRefusal = (proxy: string, target: string, status: number): DrayError =>
  new DrayError(
    "NETWORK",
    `the proxy ${proxy} refused a connection to ${target} with ${status}; ${
      status === 407
        ? "give it a user and password: http://USER:PASSWORD@HOST:PORT"
        : "ask its operator, or list the host in NO_PROXY"
    }`,
    { registry: target, status, retryable: status >= 500 },
  );
