import { LruCache, unlessAborted } from "../async/index.ts";
import type { Body, Content } from "../content/index.ts";
import { DrayError, isDrayError } from "../errors.ts";
import {
  type Handler,
  type HttpRequest,
  type HttpResponse,
  isContent,
  isTransient,
  type Middleware,
} from "../http/index.ts";
import { type Authorization, Authorizer, type Needs } from "./authorizer.ts";

import { type Challenge, challengesOf } from "./challenge.ts";
import { cachingKeychain } from "./keychain.ts";
import { parseScopes } from "./scope.ts";
import type { Token } from "./token-request.ts";
import { tokenCache } from "./tokens.ts";
import type { Keychain } from "./types.ts";

/** What the middleware needs to know: the registry, whose credentials, and who asks the token service. */
export interface AuthenticateOptions {
  /** The registry as references name it, `docker.io`: what credentials are looked up for. */
  readonly registry: string;
  /** The origins that are the registry's own, candidates included: nobody else sees its credentials. */
  readonly origins: readonly string[];
  readonly credentials: Keychain;
  /**
   * Carries requests to token services, with a budget, trace and connection of its own. It follows no redirects, and
   * refuses names that stand for private addresses as the connection does for redirects. Failures that may pass are thrown
   * as `retryable`, so the retries around this middleware are enough.
   */
  readonly tokens: Handler;
  /** Hosts, addresses and CIDRs that a token service may have although they are private. */
  readonly allowPrivate?: readonly string[] | undefined;
  /** Whether plain http was asked for. Without, a password goes over it only where the registry wants one. */
  readonly plainHttp?: boolean | undefined;
  /** `"anonymous"`: a read whose credentials are refused is tried without. Default `"fail"`, and for ambient ones `"anonymous"`. */
  readonly whenRefused?: "fail" | "anonymous" | undefined;
  /** The time in milliseconds. */
  readonly now?: (() => number) | undefined;
  readonly onWarning?: ((message: string) => void) | undefined;
}

/** A request is repeated at most this often, each time with something it was not sent with before. */
const mostRepeats = 2;
/** Of several credentials for the same registry so many are tried beside. */
const mostOthers = 16;
/** Other origins remembered at most: blob stores that redirects lead to. */
const mostOrigins = 100;

/**
 * Tells registries who asks. The first 401 of an origin shows how; from then on each request carries its credentials or
 * token at once. Tokens are replaced before they end, or once when they are refused; a challenge for a larger scope is
 * answered once. What cannot be answered, such as wrong credentials for Basic, is returned as it came; a token service
 * that refuses is an error, since only here its reason is known.
 *
 * Credentials go to the registry's own origins and the token service these name. Any other origin, as after a redirect,
 * may send us for an anonymous token by the same rules, and never sees more. What has been there (`context.foreign`) carries nothing, wherever it
 * goes.
 *
 * Some registries ask only at `/v2/`, and say of all else that it is not there or not allowed. Before such an answer is given back, and where
 * there are credentials, `/v2/` is asked once for each set of scopes. A look-up, to which "not there" is an answer, takes it as it is.
 *
 * A request for `/v2/` with `context.retry: false` is a probe: it is sent bare, and its 401 is noted and returned. A
 * request that has an `Authorization` of its own goes to the registry as it is.
 */
export const authenticate = (options: AuthenticateOptions): Middleware => {
  const { registry, allowPrivate = [], plainHttp = false, now = Date.now, onWarning, whenRefused } = options;
  const credentials = cachingKeychain(options.credentials, now);
  const tokens = tokenCache({ handler: options.tokens, registry, allowPrivate, now });
  const own = new Set(options.origins.map(canonical));
  const authorizers = new LruCache<string, Authorizer>(mostOrigins);
  const discoveries = new Map<string, Promise<void>>();

  const authorizerOf = (origin: string, own: boolean): Authorizer => {
    const key = `${own} ${origin}`;
    const known = authorizers.get(key);
    if (known !== undefined) return known;
    const granted = own ? credentials : undefined;
    const made = new Authorizer({
      registry,
      origin,
      credentials: granted,
      tokens,
      allowPrivate,
      whenRefused,
      onWarning,
    });
    authorizers.set(key, made);
    return made;
  };

  /** The first request to the registry finds out how it wants to be asked; those that come meanwhile wait for that. */
  const beginDiscovery = async (origin: string, signal: AbortSignal | undefined): Promise<() => void> => {
    const other = discoveries.get(origin);
    if (other !== undefined) {
      await unlessAborted(other, signal);
      return () => {};
    }
    const { promise, resolve } = Promise.withResolvers<void>();
    discoveries.set(origin, promise);
    return () => {
      if (discoveries.get(origin) === promise) discoveries.delete(origin);
      resolve();
    };
  };

  /** What to send to a registry that perhaps hides from strangers what it has, and did not say so. */
  const reveal = async (
    next: Handler,
    { origin }: HttpRequest,
    authorizer: Authorizer,
    needs: Needs,
  ): Promise<Authorization | undefined> => {
    const status = await authorizer.reveal(needs, async (signal) => {
      const response = await next({ method: "GET", origin, target: "/v2/", headers: [], signal });
      await response.body.discard();
      authorizer.note(response.status, challengesOf(response.headers));
      return response.status;
    });
    if (status === undefined) return undefined;
    const answer = await authorizer.authorization(needs);
    if (answer.value !== undefined) return answer;
    const mayGoUnasked = status === 200 && (plainHttp || !origin.startsWith("http:"));
    return mayGoUnasked ? await authorizer.unasked(needs) : undefined;
  };

  return (next) => async (request) => {
    const { context, signal } = request;
    const origin = canonical(request.origin);
    const isOwn = own.has(origin);
    if (isOwn && (context?.foreign === true || request.headers.some(isAuthorization))) return next(request);
    const authorizer = authorizerOf(origin, isOwn);
    const needs: Needs = {
      method: request.method,
      scopes: parseScopes(context?.scopes ?? []),
      repository: context?.repository,
      signal,
    };
    const isBase = /^\/v2\/?$/.test(request.target);
    const isProbe = context?.retry === false && isBase;
    const mayHide = isOwn && !isBase && context?.lookUp !== true;
    const { body, untouched } = watched(request.body);

    const discovered = isOwn && !authorizer.known ? await beginDiscovery(origin, signal) : undefined;
    try {
      const failed =
        isOwn && !authorizer.known && body !== undefined ? await ask(next, request, authorizer) : undefined;
      if (failed !== undefined) return failed;
      let sent: Authorization = isProbe ? {} : await authorizer.authorization(needs);
      for (let [repeats, others] = [0, 0]; ; sent.other && others < mostOthers ? others++ : repeats++) {
        const response = await next(withAuthorization(request, body, sent));
        const refused = response.status === 401 || response.status === 403;
        const challenges = refused ? challengesOf(response.headers) : [];
        authorizer.note(response.status, challenges);
        discovered?.();
        const asItIs = async (): Promise<HttpResponse> => {
          if (!isOwn || sent.value === undefined) return response;
          if (refused) return { ...response, credential: await authorizer.inWords(needs) };
          return isBase ? { ...response, asked: true } : response;
        };
        if (isProbe || repeats === mostRepeats || !(refused || response.status === 404)) return await asItIs();
        const answering = async (): Promise<Authorization | undefined> =>
          (refused ? await authorizer.answer(response.status, challenges, sent, needs) : undefined) ??
          (challenges.length === 0 && mayHide && sent.value === undefined
            ? reveal(next, request, authorizer, needs)
            : undefined);
        const answer = await answering().catch(async (error: unknown) => {
          // Another origin that will not have us: its own answer says more than its token service's.
          if (!isOwn && isDrayError(error, "UNAUTHORIZED", "DENIED", "ADDRESS_REFUSED", "REGISTRY")) return undefined;
          await response.body.discard();
          throw error;
        });
        if (answer === undefined || !untouched()) return await asItIs();
        await response.body.discard();
        sent = answer;
      }
    } finally {
      discovered?.();
    }
  };
};

/** For what a token is wanted, and over which connection it is fetched. */
export interface FetchTokenOptions extends Omit<AuthenticateOptions, "origins"> {
  /** The registry's origin. */
  readonly origin: string;
  /** Carries the request that asks the registry for its challenge. */
  readonly connection: Handler;
  readonly scopes: readonly string[];
  readonly signal?: AbortSignal | undefined;
}

/**
 * A token for the scopes, for use outside of Dray. The rules for credentials and token services are those of `authenticate`.
 * @throws DrayError `UNSUPPORTED` where the registry does not work with tokens; what `authenticate` throws.
 */
export const fetchToken = async (options: FetchTokenOptions): Promise<Token> => {
  const { registry, origin, credentials, connection, scopes, signal } = options;
  const { allowPrivate = [], now = Date.now, onWarning, whenRefused } = options;
  const tokens = tokenCache({ handler: options.tokens, registry, allowPrivate, now });
  const authorizer = new Authorizer({ registry, origin, credentials, tokens, allowPrivate, whenRefused, onWarning });
  const response = await connection({ method: "GET", origin, target: "/v2/", headers: [], signal });
  const { status } = response;
  const challenges = challengesOf(response.headers);
  await response.body.discard();
  authorizer.note(status, challenges);
  const token = await authorizer.token({ scopes: parseScopes(scopes), signal });
  if (token !== undefined) return token;
  throw new DrayError("UNSUPPORTED", `${registry} ${withoutTokens(status, challenges)}`, { registry, status });
};

/** What a registry does that gives no tokens. */
const withoutTokens = (status: number, challenges: readonly Challenge[]): string => {
  if (challenges.some(({ scheme }) => scheme === "basic"))
    return "takes the user name and password with each request (Basic): there are no tokens, and none is needed";
  const answered = `answered ${status} without asking for a token`;
  return status < 300 ? `${answered}: none is needed` : `${answered}; check the name, and that a registry is there`;
};

/**
 * Finds out before a body is sent that would have to be sent again. Where the registry fails at that, the body goes out all the same, if
 * one more attempt is left for it.
 * @returns the failure where none is.
 */
const ask = async (
  next: Handler,
  { origin, signal, context }: HttpRequest,
  authorizer: Authorizer,
): Promise<HttpResponse | undefined> => {
  const response = await next({ method: "GET", origin, target: "/v2/", headers: [], signal });
  const { retryBudget } = context ?? {};
  if (retryBudget !== undefined && isTransient(response.status) && retryBudget.draw() === undefined) return response;
  await response.body.discard();
  authorizer.note(response.status, challengesOf(response.headers));
  return undefined;
};

/** Without the port that a scheme implies; `unix:/path` has no other form. */
const canonical = (origin: string): string => (origin.startsWith("http") ? new URL(origin).origin : origin);

const isAuthorization = ([name]: readonly [string, string]): boolean => name.toLowerCase() === "authorization";

const withAuthorization = (
  request: HttpRequest,
  body: Body | Content | undefined,
  { value }: Authorization,
): HttpRequest => ({
  ...request,
  headers: [
    ...request.headers.filter((each) => !isAuthorization(each)),
    ...(value === undefined ? [] : [["Authorization", value] as const]),
  ],
  body,
});

/** A `Body` that tells whether anybody has begun to read it, after which a request cannot be repeated. */
const watched = (body: Body | Content | undefined): { body: Body | Content | undefined; untouched: () => boolean } => {
  if (body === undefined || isContent(body)) return { body, untouched: () => true };
  let touched = false;
  const iterate = (): AsyncIterator<Uint8Array> => {
    touched = true;
    return body.chunks[Symbol.asyncIterator]();
  };
  const discard = (): Promise<void> => {
    touched = true;
    return body.discard();
  };
  return { body: { ...body, chunks: { [Symbol.asyncIterator]: iterate }, discard }, untouched: () => !touched };
};
