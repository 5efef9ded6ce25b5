import type { Body, Content, OnEvent } from "../content/index.ts";
import type { RetryBudget } from "./retry-budget.ts";

/** `[name, value]` in the order of the wire; names keep their case, repeated ones stay apart. */
export type HeaderPairs = readonly (readonly [name: string, value: string])[];

/**
 * One type carries HTTP both ways: a client's connection and a registry server are both a `Handler`, so that a test, a
 * cache or an embedded registry plugs in where a connection would be. Whatever status a server gives is an answer and never thrown; where
 * there is none, an implementation throws, `retryable` where trying again may help. It ends, its body too, when the signal does. It may
 * be called many times at once, reads the body of a request before it answers or leaves it, and never follows a redirect or adds
 * credentials unless that is its very purpose.
 * @throws DrayError `NETWORK`, `TIMEOUT`, `TLS`, `ABORTED` where there is no answer
 * @example const handler: Handler = async ({ target }) => ({ status: 404, headers: [], url: target, body: bytesBody(new Uint8Array()) });
 */
export type Handler = (request: HttpRequest) => Promise<HttpResponse>;

/** Opens connections to an origin for requests to come, until there are `total`. `refused` hears where it closes one of them. */
export type OpenAhead = (origin: string, total: number, refused: () => void) => void;

/** Wraps a handler. Outermost first: warnings, retry, redirect, auth, budget, trace, connection; `pipeline` says why. */
export type Middleware = (next: Handler) => Handler;

/**
 * A connection with middlewares around it, outermost first. The order for a registry:
 *
 * 1. `warnings`: what is said once.
 * 2. `retry`: an attempt is everything below.
 * 3. `redirect`: each hop is a request of its own to a host of its own.
 * 4. `authenticate`: each hop has its own credentials, and token requests go down the same way.
 * 5. `budget`: what comes here goes over the wire next, so a registry that limits us stops everything, and registry, blob storage
 *    and token service have a limiter each.
 * 6. `trace`: sees every hop and attempt as it is sent.
 */
export const pipeline = (connection: Handler, ...middlewares: readonly Middleware[]): Handler =>
  middlewares.reduceRight((inner, middleware) => middleware(inner), connection);

/** A request, on its way out of a client or into a server. */
export interface HttpRequest {
  readonly method: string;
  /** `https://host:port`, no path. */
  readonly origin: string;
  /** Path and query as on the wire, undecoded: `/v2/library/alpine/tags/list?n=100`. */
  readonly target: string;
  readonly headers: HeaderPairs;
  /** A `Content` can be sent again after a failure, a `Body` cannot. */
  readonly body?: Body | Content | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Who asks, where a server knows: address and port. */
  readonly peer?: string | undefined;
  /** A server calls this before it reads the body, if it wants it: it sends `100 Continue` where the client waits for that. */
  readonly proceed?: () => void;
  /** What the client's middlewares need to know and the wire does not carry. */
  readonly context?: RequestContext | undefined;
}

/** What middlewares know of a request besides its bytes. */
export interface RequestContext {
  /** Scopes this request needs, such as `repository:library/alpine:pull`. The auth middleware asks for a token with all of them. */
  readonly scopes?: readonly string[] | undefined;
  /** Repository the credentials are looked up for, where credentials may belong to a path. */
  readonly repository?: string | undefined;
  /** Time-out class of the wait for an answer, if that is not `headers`. `commit`: the registry may take minutes before it answers (it moves a large blob). */
  readonly timeoutClass?: "commit" | undefined;
  /** `true`: the server has just said where it wants this body, so it is not asked whether it does (`Expect`). */
  readonly wanted?: boolean | undefined;
  /** What all repetitions for the same piece of content are drawn from. */
  readonly retryBudget?: RetryBudget | undefined;
  /** `false`: never repeated by the retry middleware, as with a PATCH, whose offset must be asked for first. */
  readonly repeatable?: boolean | undefined;
  /** `false`: the response is returned as it is even if a retry might help, as with a probe. */
  readonly retry?: boolean | undefined;
  /** Whoever reads the answer knows its digest: it does not matter who could have changed it on the way. */
  readonly digestKnown?: boolean | undefined;
  /** Bytes of the body that is asked for, as it is kept. */
  readonly size?: number | undefined;
  /** That nothing is there is an answer to this request, and no failure. */
  readonly lookUp?: boolean | undefined;
  /** The request has been on another host than the registry's: it carries nothing of ours from there on, not even back to the registry. */
  readonly foreign?: boolean | undefined;
  /** Hears of retries, throttling and warnings. */
  readonly onEvent?: OnEvent | undefined;
  /** Name of a tag or digest for error messages: `registry/repository:tag`. */
  readonly reference?: string | undefined;
}

/** An answer. Whoever gets it reads its body to the end or discards it. */
export interface HttpResponse {
  readonly status: number;
  readonly headers: HeaderPairs;
  /** The URL that answered in the end, after redirects. */
  readonly url: string;
  /** Always there; empty where there is none. Read it or discard it. */
  readonly body: Body;
  /** Whose request was refused, in words and without the secret: `password of ann from /home/ann/.docker/config.json`. */
  readonly credential?: string | undefined;
  /** Whether the registry has asked who we are, and heard it. Told of `/v2/` alone. */
  readonly asked?: true | undefined;
}

/** The first value of a header, whatever its case. */
export const header = (headers: HeaderPairs, name: string): string | undefined => {
  const wanted = name.toLowerCase();
  return headers.find(([key]) => key.toLowerCase() === wanted)?.[1];
};

/** Every value of a header, in order. */
export const headerValues = (headers: HeaderPairs, name: string): string[] => {
  const wanted = name.toLowerCase();
  return headers.filter(([key]) => key.toLowerCase() === wanted).map(([, value]) => value);
};

/** nginx says 499 of its own clients, Cloudflare 520 to 524 and 530 of an origin that it does not reach or understand. */
const transient: ReadonlySet<number> = new Set([408, 429, 499, 500, 502, 503, 504, 520, 521, 522, 523, 524, 530]);

/** Whether the same request may get another answer later. */
export const isTransient = (status: number): boolean => transient.has(status);

/** Whether a request's body can be opened again. */
export const isContent = (body: Body | Content): body is Content =>
  typeof (body as Partial<Content>).open === "function";
