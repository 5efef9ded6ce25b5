import { randomBytes } from "node:crypto";
import { type HttpRequest, header } from "dray/http";

/** What is found out about a request on its way in, and told by logs on its way out. */
export interface RequestFacts {
  /** The principal's name; `""` for anybody. Not there: it never came so far. */
  principal?: string;
  /** See `requestId`. */
  id?: string;
}

/**
 * A request as a server hands it on: with its facts once it is watched. They are the same object for the request and for every copy of
 * it that is made by `{...request}` after that, so handlers below may write `factsOf(request).principal = …` whatever lies between.
 */
export interface ServedRequest extends HttpRequest {
  facts?: RequestFacts;
}

/** The facts of a request, which begin with the first call; `observe` makes that. */
export const factsOf = (request: ServedRequest): RequestFacts => {
  request.facts ??= {};
  return request.facts;
};

const prefix = randomBytes(6).toString("hex");
let last = 0;

/** The name of a request in every log: what a proxy in front called it (`X-Request-Id`, where that is a plain word), or a name of our own. */
export const requestId = (request: HttpRequest): string => {
  const facts = factsOf(request);
  facts.id ??= plain(header(request.headers, "x-request-id")) ?? `${prefix}-${(++last).toString(36)}`;
  return facts.id;
};

const plain = (id: string | undefined): string | undefined =>
  id !== undefined && /^[\w.:/+=-]{1,128}$/.test(id) ? id : undefined;
