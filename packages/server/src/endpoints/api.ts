import { factsOf } from "@dray/service/observe";
import { bare, withError } from "@dray/service/response";
import { isDrayError, printable, reasonOf } from "dray/errors";
import type { Handler, HttpRequest, HttpResponse } from "dray/http";
import { defined } from "dray/internal/defined";
import { errnoOf } from "dray/internal/files";
import { isRepository } from "dray/oci";
import type { Access, Action, Need, Principal, Verdict } from "../access/index.ts";
import type { RegistryContext, RegistrySettings } from "../context.ts";
import type { Notice } from "../notice.ts";
import { type RefusalCode, RegistryError } from "../registry-error.ts";
import { Call, type Endpoint, isOfClient, type Operation, type Route } from "./call.ts";
import { endpoints } from "./table.ts";

/**
 * The distribution API over the context of a registry: reads where a request goes, asks once whether it may go there, and turns
 * whatever goes wrong into an answer.
 */
export const distributionApi =
  (context: RegistryContext, access: Access): Handler =>
  async (request) => {
    let route: Route = { kind: "unknown" };
    try {
      // Whoever has a socket has just come by it, and a signal of his is made when it is first asked for.
      if (!("peer" in request)) request.signal?.throwIfAborted();
      const { path, search } = split(request.target, context.settings.locations.prefix);
      route = routeOf(path);
      const elsewhere = plainPath(path, route);
      if (elsewhere !== undefined) {
        const query = search === "" ? "" : `?${search}`;
        return versioned(movedTo(request, context.settings.locations.prefix + elsewhere + query));
      }
      if (request.method === "OPTIONS") return versioned(preflight(request));
      if (route.kind === "root") return await handled(new Call(request, context, anybody, route, search), route);
      const need = needOf(request.method, route);
      const asked = access.authorise(request, route.kind === "uploads" ? withSource(need, search) : need);
      const principal = allowed(asked instanceof Promise ? await asked : asked);
      factsOf(request).principal = principal.name;
      const answer = handled(new Call(request, context, principal, route, search), route);
      const response = answer instanceof Promise ? await answer : answer;
      // What lies below the place of a disk that was unmounted meanwhile would be gone when that is back.
      if (!reads.has(request.method)) await context.tree.refuseGone();
      return versioned(response);
    } catch (error) {
      const refusal = refusalOf(await orGone(error, context, route), request, context.onNotice);
      factsOf(request).refused = refusal.message;
      return versioned(withError(request, withAllow(refusal, route, context.settings)));
    }
  };

/** Where a request goes, for those who watch. */
export const routeOfRequest = ({ target }: HttpRequest, prefix: string): Route => routeOf(split(target, prefix).path);

/** Path without the prefix, and query, both raw. A target outside the prefix is no path of ours, but for the root, which probes ask. */
const split = (target: string, prefix: string): { path: string; search: string } => {
  const mark = target.indexOf("?");
  const path = mark < 0 ? target : target.slice(0, mark);
  return {
    path: path.startsWith(`${prefix}/`) ? path.slice(prefix.length) : prefix === "" || path === "/" ? path : "",
    search: mark < 0 ? "" : target.slice(mark + 1),
  };
};

const byKind = new Map(endpoints.map((endpoint) => [endpoint.kind, endpoint]));

/** The row of a route; none for what ends in an error whatever the method. */
export const endpointOf = ({ kind }: Pick<Route, "kind">): Endpoint | undefined => byKind.get(kind);

/** What a method does there; none for one that the endpoint does not have. */
export const operationOf = (method: string, endpoint: Endpoint): Operation | undefined =>
  Object.hasOwn(endpoint.methods, method) ? endpoint.methods[method] : undefined;

const all: readonly Action[] = ["pull", "push", "delete"];
const nobody: Need = { nobody: true };
const known: Need = { known: true };
const deadEnds: readonly string[] = ["invalid", "unknown"];

/**
 * What a request needs: the one place that decides it. A method that is not in the table takes every right there is in the
 * repository, so that those who have them are told that there is no such method; anything else that is not there is for nobody.
 */
export const needOf = (method: string, { kind, repository }: Route): Need => {
  // Ends in an error whatever the method, and never comes to storage.
  if (deadEnds.includes(kind)) return known;
  const endpoint = byKind.get(kind);
  if (endpoint === undefined) return nobody;
  const need = operationOf(method, endpoint)?.need;
  if (need === "known") return known;
  if (need === "catalog") return { catalog: true };
  if (need === "nobody") return nobody;
  if (repository !== undefined) return { repository, actions: need ?? all };
  // The extensions of the registry as a whole.
  return need === undefined ? nobody : known;
};

/** Paths without a repository. */
const whole = new Map<string, Route>();
/** What comes behind a repository: text, and a name behind that or nothing. */
const behind: { readonly kind: string; readonly text: string; readonly named: boolean }[] = [];
for (const { kind, paths } of endpoints)
  for (const path of paths) {
    const [, rest] = path.split("<name>");
    const text = rest?.replace(/<.*>$/, "");
    if (rest === undefined || text === undefined) whole.set(path, { kind });
    else behind.push({ kind, text, named: text !== rest });
  }
// What is written out counts before what may be anything, and more of it before less.
behind.sort((a, b) => Number(a.named) - Number(b.named) || b.text.length - a.text.length);

const unknown: Route = { kind: "unknown" };

/**
 * The path without slashes that are too many, where there is something only then: clients join an address that ends in a slash with a
 * path that begins with one. Ways up and dots stay what they are, no path of ours.
 */
const plainPath = (path: string, { kind }: Route): string | undefined => {
  if (!deadEnds.includes(kind) || !(path.endsWith("/") || path.includes("//"))) return undefined;
  const joined = path.replace(/\/{2,}/g, "/");
  return [joined, joined.replace(/\/$/, "")].find((other) => other !== path && !deadEnds.includes(routeOf(other).kind));
};

/** As distribution answers; but what has a body is to be asked again as it was. */
const movedTo = (request: HttpRequest, location: string): HttpResponse =>
  bare(request, request.method === "GET" || request.method === "HEAD" ? 301 : 308, { Location: location });

/**
 * Reads a raw path from the right: a repository may itself have components called `blobs`, `manifests` or `tags`. A name is
 * compared as it was written: what is escaped in it is no part of any grammar, except the colon of a digest.
 */
export const routeOf = (path: string): Route => {
  const found = whole.get(path);
  if (found !== undefined) return found;
  if (!path.startsWith("/v2/")) return unknown;
  const last = path.lastIndexOf("/") + 1;
  for (const { kind, text, named } of behind) {
    const end = named ? last : path.length;
    if (!path.endsWith(text, end)) continue;
    const repository = path.slice("/v2/".length, end - text.length);
    if (!isRepository(repository) || repository.length > 255) return { kind: "invalid", name: repository };
    return named ? { kind, repository, name: unescaped(path.slice(last)) } : { kind, repository };
  }
  return unknown;
};

/** Some clients escape the colon of a digest. */
const unescaped = (text: string): string => (text.includes("%3") ? text.replace(/%3a/gi, ":") : text);

const anybody: Principal = { name: "", may: () => false };

const withSource = (need: Need, search: string): Need => {
  const query = new URLSearchParams(search);
  const from = query.has("mount") ? query.get("from") : null;
  return "repository" in need && from !== null && isRepository(from) ? { ...need, from } : need;
};

const codes: Readonly<Record<number, RefusalCode>> = {
  401: "UNAUTHORIZED",
  403: "DENIED",
  429: "TOOMANYREQUESTS",
  503: "UNAVAILABLE",
};

const allowed = (verdict: Verdict): Principal => {
  if (verdict.allowed) return verdict.principal;
  const { status, message, headers = {} } = verdict;
  throw new RegistryError(status, codes[status] ?? "DENIED", message, { headers });
};

/** @throws RegistryError 405 for a method that the endpoint does not have, 404 and 400 where there is no endpoint */
const handled = (call: Call, route: Route): ReturnType<Operation["handle"]> => {
  const endpoint = endpointOf(route);
  if (endpoint !== undefined) {
    const operation = operationOf(call.request.method, endpoint);
    if (operation === undefined) throw new RegistryError(405, "UNSUPPORTED", "there is no such method here");
    return operation.handle(call);
  }
  if (route.kind !== "invalid") throw new RegistryError(404, "UNSUPPORTED", "there is no such endpoint");
  throw new RegistryError(400, "NAME_INVALID", `${JSON.stringify(call.name.slice(0, 300))} is no name of a repository`);
};

/** Old clients look for it in every answer. */
const versioned = (response: HttpResponse): HttpResponse =>
  response.headers.at(-1)?.[0] === version[0]
    ? response
    : Object.assign(response, { headers: [...response.headers, version] });

const version = ["Docker-Distribution-Api-Version", "registry/2.0"] as const;

/** A 405 says what is allowed, as things are now. @see https://www.rfc-editor.org/rfc/rfc9110#section-15.5.6 */
const withAllow = (refusal: RegistryError, route: Route, { readOnly, deletes }: RegistrySettings): RegistryError => {
  if (refusal.status !== 405) return refusal;
  const allow = Object.keys(endpointOf(route)?.methods ?? {}).filter((method) =>
    readOnly ? method === "GET" || method === "HEAD" : route.kind === "upload" || deletes || method !== "DELETE",
  );
  const { status, code, message, headers, detail } = refusal;
  return new RegistryError(status, code, message, { headers: { ...headers, Allow: allow.join(", ") }, detail });
};

/**
 * `OPTIONS`: what a browser asks before it sends a request to another origin, always without credentials, so it is answered before
 * anybody is asked who they are. Which origins may read is the operator's setting (`http.headers`).
 */
const preflight = (request: HttpRequest): HttpResponse =>
  bare(request, 204, {
    Allow: "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS",
    "Access-Control-Allow-Methods": "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS",
    "Access-Control-Allow-Headers":
      "Authorization, Accept, Content-Type, Content-Range, Range, If-Match, If-None-Match",
    "Access-Control-Max-Age": "3600",
  });

/** What a page of another origin may see of an answer besides what browsers show anyway: all that a client of a registry looks at. */
export const exposedHeaders: string =
  "Accept-Ranges, Content-Length, Content-Range, Docker-Content-Digest, Docker-Distribution-Api-Version, Docker-Upload-UUID, ETag, Link, Location, OCI-Filters-Applied, OCI-Subject, OCI-Tag, Range, Retry-After, WWW-Authenticate";

const reads: ReadonlySet<string> = new Set(["GET", "HEAD"]);

/**
 * That something is not there, or that the disk fails, may mean that the volume itself is not there, or what a link in it leads to: clients
 * may come again, and are not told that what they ask for is nowhere.
 */
const orGone = async (error: unknown, { tree, onNotice }: RegistryContext, { repository }: Route): Promise<unknown> => {
  const isAbsence = error instanceof RegistryError && (error.status === 404 || error.code === "MANIFEST_BLOB_UNKNOWN");
  if (!isAbsence && !isDrayError(error, "DISK")) return error;
  try {
    await (repository === undefined ? tree.refuseGone() : tree.refuseHidden(repository));
    return error;
  } catch (why) {
    // The disk fails where it is asked.
    if (errnoIn(why) !== undefined) return isAbsence ? why : error;
    // Of a volume that is gone as a whole its watch tells.
    await tree.refuseGone().then(
      () => onNotice(defined<Notice>({ level: "error", message: reasonOf(why), repository })),
      () => {},
    );
    return gone;
  }
};

const gone = new RegistryError(503, "UNAVAILABLE", "the registry's storage is not there at the moment", {
  headers: { "Retry-After": "30" },
});

/** Troubles of the machine that may be over in a minute. */
const passing = new Set(["ENOSPC", "EDQUOT", "EMFILE", "ENFILE", "EAGAIN", "ENOMEM"]);

/**
 * What a client is told of an error: a refusal as it is, a fault of the disk without its paths. A broken connection is no answer at all,
 * so it is thrown on, and whoever holds the socket ends it.
 */
const refusalOf = (error: unknown, request: HttpRequest, onNotice: (notice: Notice) => void): RegistryError => {
  if (error instanceof RegistryError) return error;
  if (request.signal?.aborted === true || isOfClient(error) || isDrayError(error, "NETWORK")) throw error;
  const said = reasonOf(error);
  if (isDrayError(error, "ABORTED"))
    return new RegistryError(503, "UNAVAILABLE", "the registry is about to stop", { headers: { "Retry-After": "10" } });
  const asked = `${request.method.slice(0, 32)} ${request.target.split("?", 1)[0]?.slice(0, 500)}`;
  onNotice({ level: "error", message: printable(`${asked}: ${said}`) });
  if (isDrayError(error, "DISK"))
    return passing.has(errnoIn(error) ?? "")
      ? new RegistryError(503, "UNAVAILABLE", "the registry has no room at the moment", {
          headers: { "Retry-After": "30" },
        })
      : new RegistryError(500, "UNKNOWN", "the registry's storage failed; its operator finds the reason in the log");
  return new RegistryError(500, "UNKNOWN", "the registry failed; its operator finds the reason in the log");
};

/** The system's own error may lie under ours. */
const errnoIn = (error: unknown): string | undefined =>
  errnoOf(error) ?? (error instanceof Error && error.cause !== undefined ? errnoIn(error.cause) : undefined);
