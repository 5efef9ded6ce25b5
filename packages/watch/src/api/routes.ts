/** One method of an endpoint, as the document of the API tells it. */
export interface Operation {
  readonly summary: string;
  /** Names of what stands after the question mark. */
  readonly query?: readonly Parameter[];
  /** What the answer is, by status, for people. */
  readonly answers: Readonly<Record<string, string>>;
  /** Media types of a good answer. Default JSON. */
  readonly types?: readonly string[];
  /** Whether it takes a JSON body, and what is in it. */
  readonly body?: Readonly<Record<string, string>>;
}

/** A name that may stand after a question mark. */
export type Parameter =
  | "after"
  | "limit"
  | "repository"
  | "type"
  | "status"
  | "sink"
  | "gone"
  | "image"
  | "policy"
  | "tag";

/** What each of them means. */
export const parameters: Readonly<Record<Parameter, string>> = {
  after: "the last one of the page before; of events the id of the last one that is known",
  limit: "at most so many",
  repository: "of this repository alone, however it is written: `alpine`",
  type: "`tag.added`, `tag.moved` or `tag.removed`",
  status: "deliveries in this state instead: `waiting`, `sending`, `delivered` or `dead`",
  sink: "to this sink alone",
  gone: "`true`: tags that are gone as well",
  image: "repository and tag that are run, such as `alpine:3.20`",
  policy: "a policy as JSON, instead of the configured one",
  tag: "of this tag alone",
};

/** An endpoint: a path, in which `{name}` takes all that is left. */
export type Route =
  | "/v1/repositories"
  | "/v1/images/{name}"
  | "/v1/updates"
  | "/v1/explain"
  | "/v1/events"
  | "/v1/replay"
  | "/v1/scan"
  | "/v1/renovate/{name}"
  | "/v1/webhooks/{name}"
  | "/v1/limits"
  | "/v1/openapi.json"
  | "/metrics"
  | "/livez"
  | "/readyz";

/** What the API is. Whatever is not here is for nobody. */
export const routes: Readonly<Record<Route, Readonly<Partial<Record<"GET" | "POST", Operation>>>>> = {
  "/v1/repositories": {
    GET: {
      summary: "Repositories that are watched, by name, with the state of each",
      query: ["after", "limit"],
      answers: { "200": "a page of repositories" },
    },
  },
  "/v1/images/{name}": {
    GET: {
      summary: "What is known of a repository, or of one tag of it (`/v1/images/alpine:3.22`): never asks the registry",
      query: ["after", "limit", "gone"],
      answers: {
        "200": "the repository with a page of its tags, or the tag with its history",
        "404": "it is not watched, or has no such tag",
        "503": "nothing is known of it yet: with the last error and its age",
      },
    },
  },
  "/v1/updates": {
    GET: {
      summary: "What is newer than an image that runs, by the repository's policy",
      query: ["image", "policy"],
      answers: {
        "200": "the newest tag, and how far it is",
        "404": "it is not watched",
        "503": "nothing is known of it yet",
      },
    },
  },
  "/v1/explain": {
    GET: {
      summary: "Why each tag of a repository is chosen or not by its policy",
      query: ["repository", "policy", "tag", "limit"],
      answers: { "200": "a verdict for each tag", "404": "it is not watched", "503": "nothing is known of it yet" },
    },
  },
  "/v1/events": {
    GET: {
      summary:
        "What has happened, from the oldest on; with `Accept: text/event-stream` what happens, as CloudEvents, after `Last-Event-ID`",
      query: ["after", "limit", "repository", "type", "status", "sink"],
      answers: { "200": "events, or deliveries where a status is asked for" },
      types: ["application/json", "text/event-stream"],
    },
  },
  "/v1/replay": {
    POST: {
      summary: "Sends dead letters again, or one event whatever has become of it, under its own id",
      body: { sink: "to this sink alone", event: "id of one event" },
      answers: { "200": "how many deliveries wait now" },
    },
  },
  "/v1/scan": {
    POST: {
      summary: "Looks at a repository now",
      body: { repository: "however it is written", tags: "tags that are said to have changed" },
      answers: { "200": "what the look came to" },
    },
  },
  "/v1/renovate/{name}": {
    GET: {
      summary: "The tags of a repository as a custom datasource of Renovate, with the times of their releases",
      answers: { "200": "releases", "404": "it is not watched", "503": "nothing is known of it yet" },
    },
  },
  "/v1/webhooks/{name}": {
    POST: {
      summary: "A registry tells of a push. It proves itself, and needs no token",
      body: {},
      answers: {
        "200": "how many looks it asks for",
        "400": "it is no notice",
        "401": "it proves nothing",
        "404": "there is no such webhook",
        "413": "it is too large",
      },
    },
  },
  "/v1/limits": {
    GET: { summary: "What registries allow, and what is left of it", answers: { "200": "a budget for each registry" } },
  },
  "/v1/openapi.json": { GET: { summary: "This document", answers: { "200": "OpenAPI 3.1" } } },
  "/metrics": { GET: { summary: "Metrics, for Prometheus", answers: { "200": "metrics" }, types: ["text/plain"] } },
  "/livez": { GET: { summary: "Whether the service answers", answers: { "200": "it does" } } },
  "/readyz": { GET: { summary: "Whether it can do its work", answers: { "200": "it can", "503": "it cannot" } } },
};

/** Endpoints that ask nobody for a token. */
export const open: readonly Route[] = ["/v1/webhooks/{name}", "/livez", "/readyz"];

/** The route of a path, and what stands for `{name}` in it. */
export const routeOf = (path: string): { readonly route: Route; readonly name: string } | undefined => {
  for (const route of Object.keys(routes) as Route[]) {
    const at = route.indexOf("{name}");
    if (at < 0 ? path === route : path.startsWith(route.slice(0, at)) && path.length > at)
      return { route, name: at < 0 ? "" : path.slice(at) };
  }
  return undefined;
};
