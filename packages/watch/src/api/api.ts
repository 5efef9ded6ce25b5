import { type Policy, readPolicy } from "@dray/policy";
import { HttpError, withBytes, withError, withJson } from "@dray/service/response";
import { collect } from "dray/content";
import { isDrayError, reasonOf } from "dray/errors";
import { type Clock, type Handler, type HttpRequest, type HttpResponse, header } from "dray/http";
import { type Deliveries, defaultSource, type EventLog } from "../events/index.ts";
import type { WatchFile } from "../file/index.ts";
import { parseRepository, type Repository } from "../repository.ts";
import { sameText } from "../webhooks/index.ts";
import {
  canonicalName,
  explainAnswer,
  imageAnswer,
  renovateAnswer,
  repositoriesAnswer,
  updatesAnswer,
} from "./answers.ts";
import { feed } from "./feed.ts";
import { openApi } from "./openapi.ts";
import { invalid, Query } from "./query.ts";
import { type Operation, open, type Route, routeOf, routes } from "./routes.ts";

/** What the API tells of and sets going. */
export interface ApiParts {
  readonly file: WatchFile;
  readonly log: EventLog;
  readonly deliveries: Deliveries;
  /** Looks at a repository now. */
  readonly look: (repository: Repository, tags: readonly string[], signal: AbortSignal | undefined) => Promise<object>;
  readonly webhooks: () => Handler;
  /** Without one everybody may ask. */
  readonly token: () => string | undefined;
  /** The policy that is configured for a repository. */
  readonly policyOf: (name: string) => Policy;
  /** Deliveries wait that did not before. */
  readonly onReplay: () => void;
  readonly metrics: { text(): Promise<string>; readonly contentType: string };
  /** What registries allow. */
  readonly limits: () => readonly object[];
  readonly source?: (() => string) | undefined;
  readonly clock: Clock;
  readonly version: string;
  /** Aborted when the service ends. */
  readonly ended: AbortSignal;
}

const mostBody = 64 * 1024;
const page = { fallback: 100, most: 10_000 };

/**
 * The API: JSON over HTTP, as `/v1/openapi.json` describes it. Everything but webhooks and health asks for the token, where there is one. Answers come from the
 * file and never wait for a registry; `/v1/scan` alone asks one.
 */
export const api = (parts: ApiParts): Handler => {
  const document = openApi(parts.version);
  const answer = async (request: HttpRequest): Promise<HttpResponse> => {
    const { method, target, headers } = request;
    const found = routeOf(target.split("?", 1)[0] ?? "");
    if (found === undefined)
      throw new HttpError(
        404,
        "NOT_FOUND",
        "there is no such endpoint; /v1/openapi.json tells of those that are there",
      );
    const { route, name } = found;
    const token = parts.token();
    if (
      token !== undefined &&
      !open.includes(route) &&
      !sameText(header(headers, "authorization") ?? "", `Bearer ${token}`)
    )
      throw new HttpError(401, "UNAUTHORIZED", "show the token of this service: Authorization: Bearer TOKEN", {
        headers: { "WWW-Authenticate": 'Bearer realm="dray watch"' },
      });
    if (route === "/v1/webhooks/{name}") return parts.webhooks()(request);
    const operations: Partial<Record<string, Operation>> = routes[route];
    const operation = operations[method === "HEAD" ? "GET" : method];
    if (operation === undefined) {
      const allowed = Object.keys(operations).flatMap((each) => (each === "GET" ? ["GET", "HEAD"] : [each]));
      throw new HttpError(405, "UNSUPPORTED", `${method} is not for this endpoint`, {
        headers: { Allow: allowed.join(", ") },
      });
    }
    return endpoints[route](parts, {
      request,
      name: decoded(name),
      query: new Query(target, operation.query ?? []),
      document,
    });
  };
  return async (request) => {
    try {
      return await answer(request);
    } catch (error) {
      if (error instanceof HttpError) return withError(request, error);
      if (isDrayError(error, "LOCKED")) return withError(request, new HttpError(503, "UNAVAILABLE", reasonOf(error)));
      throw error;
    }
  };
};

interface Asked {
  readonly request: HttpRequest;
  readonly name: string;
  readonly query: Query;
  readonly document: object;
}

type Endpoint = (parts: ApiParts, asked: Asked) => Promise<HttpResponse> | HttpResponse;

const policyOf = async ({ policyOf: configured }: ApiParts, query: Query): Promise<(name: string) => Policy> => {
  const said = query.text("policy");
  if (said === undefined) return configured;
  try {
    const policy = await readPolicy(JSON.parse(said) as object);
    return () => policy;
  } catch (error) {
    throw invalid(`the policy cannot be used: ${reasonOf(error)}`);
  }
};

const endpoints: Readonly<Record<Exclude<Route, "/v1/webhooks/{name}">, Endpoint>> & Partial<Record<Route, Endpoint>> =
  {
    "/v1/repositories": ({ file }, { request, query }) =>
      withJson(
        request,
        repositoriesAnswer(file, { after: query.text("after"), limit: query.count("limit", page.fallback, page.most) }),
      ),

    "/v1/images/{name}": ({ file, clock }, { request, query, name }) =>
      withJson(
        request,
        imageAnswer(file, name, {
          after: query.text("after"),
          limit: query.count("limit", 1000, 100_000),
          gone: query.text("gone") === "true",
          now: clock.now(),
        }),
      ),

    "/v1/updates": async (parts, { request, query }) => {
      const image = query.text("image");
      if (image === undefined) throw invalid("say which image runs: ?image=alpine:3.20");
      return withJson(request, await updatesAnswer(parts.file, image, await policyOf(parts, query), parts.clock.now()));
    },

    "/v1/explain": async (parts, { request, query }) => {
      const repository = query.text("repository");
      if (repository === undefined) throw invalid("say of which repository: ?repository=alpine");
      const asked = {
        tag: query.text("tag"),
        limit: query.count("limit", page.fallback, page.most),
        now: parts.clock.now(),
      };
      return withJson(request, await explainAnswer(parts.file, repository, await policyOf(parts, query), asked));
    },

    "/v1/events": ({ log, deliveries, clock, ended, source = () => defaultSource }, { request, query }) => {
      const [status, sink, type] = [query.status(), query.text("sink"), query.type()];
      const limit = query.count("limit", page.fallback, page.most);
      const named = query.text("repository");
      const repository = named === undefined ? undefined : canonicalName(named);
      if (status !== undefined || sink !== undefined) {
        const asked = {
          ...(status === undefined ? {} : { state: status }),
          ...(sink === undefined ? {} : { sink }),
          limit,
        };
        return withJson(request, { deliveries: deliveries.list(asked) });
      }
      const after = header(request.headers, "last-event-id") || query.text("after");
      const wanted = { ...(repository === undefined ? {} : { repository }), ...(type === undefined ? {} : { type }) };
      if (request.method === "GET" && /\btext\/event-stream\b/.test(header(request.headers, "accept") ?? "")) {
        const body = feed({ log, source: source(), clock, ended }, { ...wanted, after }, request.signal);
        const headers = [
          ["Content-Type", "text/event-stream"],
          ["Cache-Control", "no-store"],
          // nginx would keep events back until there are many.
          ["X-Accel-Buffering", "no"],
        ] as const;
        return { status: 200, headers, url: request.origin + request.target, body };
      }
      return withJson(request, { events: log.list({ ...wanted, ...(after === undefined ? {} : { after }), limit }) });
    },

    "/v1/replay": async ({ deliveries, clock, onReplay }, { request }) => {
      const { sink, event } = await bodyOf(request, ["sink", "event"]);
      const asked = { ...textIn("sink", sink), ...textIn("event", event) };
      const replayed = await deliveries.replay(asked, clock.now());
      if (replayed > 0) onReplay();
      return withJson(request, { replayed });
    },

    "/v1/scan": async ({ look }, { request }) => {
      const { repository, tags = [] } = await bodyOf(request, ["repository", "tags"]);
      if (typeof repository !== "string") throw invalid('say which repository: {"repository": "alpine"}');
      if (!Array.isArray(tags) || !tags.every((tag) => typeof tag === "string"))
        throw invalid("tags is a list of names");
      const result = await look(parseRepository(canonicalName(repository)), tags, request.signal);
      return withJson(request, result);
    },

    "/v1/renovate/{name}": ({ file, clock }, { request, name }) =>
      withJson(request, renovateAnswer(file, name, clock.now())),

    "/v1/limits": ({ limits }, { request }) => withJson(request, { limits: limits() }),

    "/v1/openapi.json": (_, { request, document }) => withJson(request, document),

    "/metrics": async ({ metrics }, { request }) =>
      withBytes(request, 200, [["Content-Type", metrics.contentType]], new TextEncoder().encode(await metrics.text())),

    // Answered before anything comes here.
    "/livez": (_, { request }) => withJson(request, { status: "alive" }),
    "/readyz": (_, { request }) => withJson(request, { status: "ready" }),
  };

const textIn = <Name extends string>(name: Name, value: unknown): Partial<Record<Name, string>> => {
  if (value === undefined) return {};
  if (typeof value !== "string" || value === "") throw invalid(`${name} is a text`);
  return { [name]: value } as Partial<Record<Name, string>>;
};

const bodyOf = async ({ body }: HttpRequest, known: readonly string[]): Promise<Readonly<Record<string, unknown>>> => {
  let said: unknown;
  try {
    const bytes =
      body !== undefined && "chunks" in body ? await collect(body.chunks, mostBody, "the question") : new Uint8Array();
    said = bytes.byteLength === 0 ? {} : JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (error) {
    if (isDrayError(error, "LIMIT_EXCEEDED")) throw new HttpError(413, "TOO_LARGE", error.message);
    if (isDrayError(error)) throw error;
    throw invalid("the body is no JSON");
  }
  if (typeof said !== "object" || said === null || Array.isArray(said)) throw invalid("the body is no JSON object");
  for (const name of Object.keys(said))
    if (!known.includes(name)) throw invalid(`there is no ${name} here; there are ${known.join(", ")}`);
  return said as Readonly<Record<string, unknown>>;
};

const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text);
  } catch {
    throw invalid("the path is not written as a URL is");
  }
};
