import { factsOf } from "@dray/service/observe";
import { bare, withError } from "@dray/service/response";
import { DrayError, isDrayError, printable } from "dray/errors";
import type { Handler, HttpRequest, HttpResponse } from "dray/http";
import { errnoOf } from "dray/internal/files";
import { isRepository } from "dray/oci";
import type { Access, Need, Principal, Verdict } from "../access/index.ts";
import type { RegistryContext, RegistrySettings } from "../context.ts";
import type { Notice } from "../notice.ts";
import { type RefusalCode, RegistryError } from "../registry-error.ts";
import { Call, isOfClient, type Operation, type Route } from "./call.ts";
import { endpointOf, needOf, operationOf, routeOf } from "./table.ts";

/**
 * The distribution API over the context of a registry: reads where a request goes, asks once whether it may go there, and turns
 * whatever goes wrong into an answer.
 */
export const distributionApi =
  (context: RegistryContext, access: Access): Handler =>
  async (request) => {
    let route: Route = { kind: "unknown" };
    try {
      request.signal?.throwIfAborted();
      const { path, search } = split(request.target, context.settings.locations.prefix);
      route = routeOf(path);
      if (request.method === "OPTIONS") return versioned(preflight(request));
      if (route.kind === "root") return await handled(new Call(request, context, anybody, route, search), route);
      const need = needOf(request.method, route);
      const asked = access.authorise(request, route.kind === "uploads" ? withSource(need, search) : need);
      const principal = allowed(asked instanceof Promise ? await asked : asked);
      factsOf(request).principal = principal.name;
      const answer = handled(new Call(request, context, principal, route, search), route);
      return versioned(answer instanceof Promise ? await answer : answer);
    } catch (error) {
      const refusal = refusalOf(error, request, context.onNotice);
      return versioned(withError(request, withAllow(refusal, route, context.settings)));
    }
  };

/** Where a request goes, for those who watch. */
export const routeOfRequest = ({ target }: HttpRequest, prefix: string): Route => routeOf(split(target, prefix).path);

/** Path without the prefix, and query, both raw. A target outside the prefix is no path of ours. */
const split = (target: string, prefix: string): { path: string; search: string } => {
  const mark = target.indexOf("?");
  const path = mark < 0 ? target : target.slice(0, mark);
  return {
    path: path.startsWith(`${prefix}/`) ? path.slice(prefix.length) : prefix === "" ? path : "",
    search: mark < 0 ? "" : target.slice(mark + 1),
  };
};

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
    "Access-Control-Expose-Headers":
      "Docker-Content-Digest, Docker-Upload-UUID, ETag, Link, Location, OCI-Filters-Applied, OCI-Subject, OCI-Tag, Range, WWW-Authenticate",
    "Access-Control-Max-Age": "3600",
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
  const said = error instanceof Error ? error.message : String(error);
  if (isDrayError(error, "ABORTED"))
    return new RegistryError(503, "UNAVAILABLE", "the registry is about to stop", { headers: { "Retry-After": "10" } });
  const asked = `${request.method.slice(0, 32)} ${request.target.split("?", 1)[0]?.slice(0, 500)}`;
  onNotice({ level: "error", message: printable(`${asked}: ${said}`) });
  if (error instanceof DrayError && error.code === "DISK")
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
