import { isUsual } from "./headers.ts";
import type { HeaderPairs } from "./types.ts";

const hidden = "REDACTED";

/** Query keys of the registry protocol. Every other value may be a signature, a session or a token. */
const knownKeys = new Set([
  "scope",
  "service",
  "mount",
  "from",
  "digest",
  "n",
  "last",
  "artifactType",
  "digest-algorithm",
  "tag",
]);

/**
 * A URL (or path) fit for messages and logs: no user, no password, no fragment, and no query value but those the
 * registry protocol knows.
 * @example redactUrl("https://s3.example/b?X-Amz-Signature=abc&n=10") // https://s3.example/b?X-Amz-Signature=REDACTED&n=10
 */
export const redactUrl = (url: string): string => {
  const [, scheme = "", rest = ""] = /^([a-z][a-z0-9+.-]*:\/\/)?(?:[^/?#]*@)?([^#]*)/is.exec(url) ?? [];
  const [path, query] = splitOnce(rest, "?");
  return `${scheme}${path}${query === undefined ? "" : `?${query.split("&").map(redactPair).join("&")}`}`;
};

const splitOnce = (text: string, mark: string): [string, string?] => {
  const at = text.indexOf(mark);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
};

const redactPair = (pair: string): string => {
  const [key, value] = splitOnce(pair, "=");
  return value === undefined || value === "" || knownKeys.has(decoded(key)) ? pair : `${key}=${hidden}`;
};

const decoded = (key: string): string => {
  try {
    return decodeURIComponent(key);
  } catch {
    return key;
  }
};

/** Headers whose whole value is a secret. `X-Registry-*` is how the Docker engine is told credentials. */
const secretHeaders = new Set(["cookie", "set-cookie", "x-registry-auth", "x-registry-config", "x-amz-security-token"]);
/** Headers that name a scheme before the secret. */
const schemeHeaders = new Set(["authorization", "proxy-authorization"]);
const urlHeaders = new Set(["location", "content-location", "referer"]);

/** Headers fit for a log. `WWW-Authenticate` stays: it holds a challenge, no secret. */
export const redactHeaders = (headers: HeaderPairs): HeaderPairs =>
  headers.map(([name, value]) => [name, redactHeader(name, value)]);

/** Headers of a request, fit for a log. */
export const redactSent = (headers: HeaderPairs): HeaderPairs =>
  headers.map(([name, value]) => [name, isUsual(name) ? redactHeader(name, value) : hidden]);

const redactHeader = (name: string, value: string): string => {
  const key = name.toLowerCase();
  if (secretHeaders.has(key)) return hidden;
  if (schemeHeaders.has(key)) return value.includes(" ") ? `${splitOnce(value, " ")[0]} ${hidden}` : hidden;
  if (urlHeaders.has(key)) return redactUrl(value);
  if (key === "link") return value.replace(/<([^>]*)>/g, (_, url: string) => `<${redactUrl(url)}>`);
  return value;
};
