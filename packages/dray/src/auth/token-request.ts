import { bytesContent, collect } from "../content/index.ts";
import { DrayError } from "../errors.ts";
import {
  type Handler,
  type HeaderPairs,
  type HttpResponse,
  header,
  isTransient,
  redactHeaders,
} from "../http/index.ts";
import { describeCredential, kindOf } from "./credential.ts";
import { type RealmRefusal, realmRefusal, refused } from "./realm.ts";
import { formatScope, type Scope } from "./scope.ts";
import type { Credential } from "./types.ts";

/** What a token is asked for with. */
export interface TokenOrder {
  /** The token service, checked by `realmRefusal`. */
  readonly realm: URL;
  readonly service?: string | undefined;
  readonly scopes: readonly Scope[];
  /** Without one the token is asked for anonymously. */
  readonly credential?: Credential | undefined;
}

export interface TokenServiceOptions {
  /** Carries requests to token services: with a budget, trace and connection of its own, without redirects. */
  readonly handler: Handler;
  /** Whose tokens they are, for messages. */
  readonly registry: string;
  /** Hosts, addresses and CIDRs that a redirect may lead to although they are private. */
  readonly allowPrivate: readonly string[];
  readonly now: () => number;
}

const largestAnswer = 64 * 1024;
const mostRedirects = 5;

/**
 * Asks a token service once: with an identity token by POST (OAuth2, a refresh grant), by GET where the service knows no
 * POST, and else by GET with the name and password.
 * @throws DrayError `UNAUTHORIZED` or `DENIED` where it refuses; `RATE_LIMITED`, `REGISTRY`, `ADDRESS_REFUSED` and what the
 *   handler throws.
 * @see https://distribution.github.io/distribution/spec/auth/oauth/
 */
export const requestToken = async (
  order: TokenOrder,
  options: TokenServiceOptions,
  signal: AbortSignal,
): Promise<Token> => {
  const asked = options.now();
  let response = await (kindOf(order.credential) === "identity token" ? post : get)(order, options, signal);
  if (kindOf(order.credential) === "identity token" && [404, 405].includes(response.status)) {
    await response.body.discard();
    response = await get(order, options, signal);
  }
  const body = await readBody(response, order, options);
  if (response.status !== 200) throw refusal(response, body, order, options);
  const token = readToken(body, asked, header(response.headers, "date"));
  if (token !== undefined) return token;
  const message = `${serviceOf(order, options)} answered 200 without a token; check that it is one`;
  throw new DrayError("REGISTRY", message, { registry: options.registry, status: 200 });
};

const get = (order: TokenOrder, options: TokenServiceOptions, signal: AbortSignal): Promise<HttpResponse> => {
  const url = new URL(order.realm);
  if (order.service !== undefined) url.searchParams.append("service", order.service);
  for (const scope of order.scopes) url.searchParams.append("scope", formatScope(scope));
  const pair = basicPair(order.credential);
  return send("GET", url, pair === undefined ? [] : [["Authorization", basic(...pair)]], options, signal);
};

const post = (order: TokenOrder, options: TokenServiceOptions, signal: AbortSignal): Promise<HttpResponse> => {
  const form = new URLSearchParams({
    grant_type: "refresh_token",
    client_id: "dray",
    ...(order.service === undefined ? {} : { service: order.service }),
    ...(order.scopes.length === 0 ? {} : { scope: order.scopes.map(formatScope).join(" ") }),
    refresh_token: order.credential?.identityToken ?? "",
  });
  return send("POST", order.realm, [["Content-Type", "application/x-www-form-urlencoded"]], options, signal, form);
};

/**
 * A service may move its requests about its own origin. To another one only a GET goes on, checked like the realm itself
 * and without credentials: a realm vouched for nobody but itself.
 */
const send = async (
  method: string,
  url: URL,
  headers: HeaderPairs,
  options: TokenServiceOptions,
  signal: AbortSignal,
  form?: URLSearchParams,
): Promise<HttpResponse> => {
  const { handler, registry, allowPrivate } = options;
  const body = form && bytesContent(new TextEncoder().encode(form.toString()));
  let at = url;
  let left = false;
  let carried: HeaderPairs = [["Accept", "application/json"], ...headers];
  for (let hop = 0; ; hop++) {
    const target = at.pathname + at.search;
    const context = { foreign: left };
    const response = await handler({ method, origin: at.origin, target, headers: carried, body, signal, context });
    const location = header(response.headers, "location");
    if (![301, 302, 303, 307, 308].includes(response.status) || location === undefined) return response;
    await response.body.discard();
    const next = URL.canParse(location, at.href) ? new URL(location, at) : undefined;
    const refusal =
      hop === mostRedirects
        ? refused("it redirects too often")
        : redirectRefusal(method, at, next, response.status, allowPrivate);
    if (next === undefined || refusal !== undefined) {
      const message = `token service ${url.host} of ${registry} redirects to ${next?.host ?? "nowhere"}: refused, ${refusal?.why}`;
      throw new DrayError("ADDRESS_REFUSED", message, { registry, status: response.status, ...refusal?.facts });
    }
    // What comes back carries nothing, whoever would add it.
    left ||= next.origin !== at.origin;
    if (left) carried = carried.filter(([name]) => name.toLowerCase() !== "authorization");
    at = next;
  }
};

const redirectRefusal = (
  method: string,
  at: URL,
  next: URL | undefined,
  status: number,
  allowPrivate: readonly string[],
): RealmRefusal | undefined => {
  if (next === undefined || !/^https?:$/.test(next.protocol)) return refused("that is no URL of the web");
  if (method === "POST" && (next.origin !== at.origin || status < 307)) return refused("it would see our token");
  return realmRefusal(next, at.origin, allowPrivate);
};

const readBody = async (response: HttpResponse, order: TokenOrder, options: TokenServiceOptions): Promise<string> => {
  try {
    const bytes = await collect(response.body.chunks, largestAnswer, `the answer of ${serviceOf(order, options)}`);
    return new TextDecoder().decode(bytes);
  } finally {
    await response.body.discard();
  }
};

const refusal = (response: HttpResponse, body: string, order: TokenOrder, options: TokenServiceOptions): DrayError => {
  const { status } = response;
  const { registry } = options;
  const { code, message } = readRefusal(body);
  const wait = header(response.headers, "retry-after");
  const facts = {
    status,
    registry,
    retryable: status >= 499 || isTransient(status),
    registryCode: code,
    headers: redactHeaders(response.headers),
    retryAfter: wait !== undefined && /^\d+$/.test(wait) ? Number(wait) : undefined,
  };
  const said = message === "" ? `(${status})` : `(${status}: ${message})`;
  const service = serviceOf(order, options);
  if (status !== 401 && status !== 403) {
    const code = status === 429 ? "RATE_LIMITED" : "REGISTRY";
    return new DrayError(code, `${service} gives no token ${said}; try again later`, facts);
  }
  const what = order.scopes.length === 0 ? registry : order.scopes.map(formatScope).join(" ");
  const { credential } = order;
  return new DrayError(
    status === 401 ? "UNAUTHORIZED" : "DENIED",
    credential === undefined
      ? `${service} gives nobody a token for ${what} without credentials ${said}; log in to ${registry}`
      : `${service} refuses the ${describeCredential(credential)} from ${credential.source} for ${what} ${said}; log in to ${registry} again`,
    facts,
  );
};

const serviceOf = (order: TokenOrder, { registry }: TokenServiceOptions): string =>
  `token service ${order.realm.host} of ${registry}`;

/** Some services know an identity token only as a password, of the user it came with or of none. */
const basicPair = (credential: Credential | undefined): [string, string] | undefined => {
  const { username, password, identityToken } = credential ?? {};
  const secret = password || identityToken;
  return username || secret ? [username || (password ? "" : "<token>"), secret ?? ""] : undefined;
};

/** The value of an `Authorization` header for a name and password (RFC 7617). */
export const basic = (username: string, password: string): string =>
  `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;

/** A token as it is kept. */
export interface Token {
  readonly text: string;
  /** When it ends, in milliseconds, by our clock. */
  readonly expiresAt: number;
  /** When it has to be replaced: some time before it ends. */
  readonly renewAt: number;
  /** A new refresh token, which replaces the one that was used. */
  readonly refreshToken?: string | undefined;
}

/** Seconds a token lives where the service does not say. */
const usualLife = 60;

/**
 * Reads the answer of a token service: `token` or `access_token`, `expires_in`, `issued_at`. `undefined`: no token in it.
 *
 * Its life is counted from when we asked, never from the service's clock, which may be wrong. A token that the service
 * had in its cache has lived a while: `date`, its own clock at the answer, tells how long.
 * @param asked milliseconds when the request was sent, by our clock.
 * @param date the `Date` of the response.
 * @see https://distribution.github.io/distribution/spec/auth/token/#token-response-fields
 */
export const readToken = (body: string, asked: number, date: string | undefined): Token | undefined => {
  const members = objectOf(body);
  const text = [members["token"], members["access_token"]].find(isTokenText);
  if (text === undefined) return undefined;
  const said = Number(members["expires_in"] ?? Number.NaN);
  // Some say when it ends, in seconds since 1970, in place of how long it lives.
  const lasts = said > 1_000_000_000 ? said - asked / 1000 : said;
  const life = lasts > 0 ? lasts : usualLife;
  const left = Math.max(0, life - ageOf(members["issued_at"], date, life)) * 1000;
  const refreshToken = textOf(members["refresh_token"]);
  return {
    text,
    expiresAt: asked + left,
    // Renewed early enough for a request to be under way a while, but not so early that a short-lived token is never used.
    renewAt: asked + left - Math.min(10_000, left * 0.2),
    refreshToken,
  };
};

/** Seconds since a token was issued, by the service's own clock. Nonsense counts as none. */
const ageOf = (issued: unknown, date: string | undefined, life: number): number => {
  if (typeof issued !== "string" || date === undefined) return 0;
  const age = (Date.parse(date) - Date.parse(issued)) / 1000;
  return age > 0 && age < life ? age : 0;
};

/** A token goes into a header: visible ASCII, or the service is up to something. */
const isTokenText = (value: unknown): value is string => typeof value === "string" && /^[\x21-\x7e]+$/.test(value);

/** What a service says of its refusal, in the shapes that are around; `code` is the registry kind's. */
export const readRefusal = (body: string): { code: string | undefined; message: string } => {
  const members = objectOf(body);
  const first: unknown = Array.isArray(members["errors"]) ? members["errors"][0] : undefined;
  const error = typeof first === "object" && first !== null ? (first as Record<string, unknown>) : members;
  const said = (...names: string[]): string | undefined => names.map((name) => textOf(error[name])).find(Boolean);
  const message = said("message", "details", "error_description", "error") ?? plain(body);
  return { message: message.slice(0, 300), code: said("code", "error") };
};

const textOf = (value: unknown): string | undefined => (typeof value === "string" && value !== "" ? value : undefined);

/** A short text is worth showing, a page of HTML or JSON is not. */
const plain = (body: string): string => (/^\s*[<{[]/.test(body) ? "" : (body.trim().split("\n")[0] ?? ""));

const objectOf = (body: string): Record<string, unknown> => {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
};
