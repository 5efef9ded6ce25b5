import { factsOf } from "@dray/service/observe";
import { bare, refused, withJson } from "@dray/service/response";
import type { Handler, HttpRequest, HttpResponse } from "dray/http";
import { isRepository } from "dray/oci";
import { type Access, type Need, needOf, type Principal, type Verdict } from "../access/index.ts";
import type { RegistryContext } from "../context.ts";
import { type RefusalCode, RegistryError } from "../registry-error.ts";
import { blob } from "./blob.ts";
import { Call } from "./call.ts";
import { catalog } from "./catalog.ts";
import { manifest } from "./manifest.ts";
import { refuseMethod, withAllow } from "./methods.ts";
import { preflight } from "./preflight.ts";
import { referrers } from "./referrers.ts";
import { refusalOf } from "./refusal-of.ts";
import { type Route, routeOf } from "./route.ts";
import { tags } from "./tags.ts";
import { beginUpload, uploadSession } from "./uploads.ts";

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
      if (route.kind === "root") {
        refuseMethod(request.method, route);
        return bare(request, 200);
      }
      const need = needOf(request.method, route);
      const asked = access.authorise(request, route.kind === "uploads" ? withSource(need, search) : need);
      const principal = allowed(asked instanceof Promise ? await asked : asked);
      factsOf(request).principal = principal.name;
      refuseMethod(request.method, route);
      const answer = dispatch(new Call(request, context, principal, search), route);
      return versioned(answer instanceof Promise ? await answer : answer);
    } catch (error) {
      const refusal = refusalOf(error, request, context.onNotice);
      return versioned(refused(request, withAllow(refusal, route, context.settings)));
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

const dispatch = (call: Call, route: Route): HttpResponse | Promise<HttpResponse> => {
  switch (route.kind) {
    case "manifest":
      return manifest(call, route);
    case "blob":
      return blob(call, route);
    case "uploads":
      return beginUpload(call, route.repository);
    case "upload":
      return uploadSession(call, route);
    case "tags":
      return tags(call, route.repository);
    case "referrers":
      return referrers(call, route);
    case "catalog":
      return catalog(call);
    case "ping":
      return withJson(call.request, {});
    case "extensions":
      return withJson(call.request, { extensions: [] });
    case "invalid":
      throw new RegistryError(
        400,
        "NAME_INVALID",
        `${JSON.stringify(route.name.slice(0, 300))} is no name of a repository`,
      );
    default:
      throw new RegistryError(404, "UNSUPPORTED", "there is no such endpoint");
  }
};

/** Old clients look for it in every answer. */
const versioned = (response: HttpResponse): HttpResponse =>
  response.headers.at(-1)?.[0] === version[0]
    ? response
    : Object.assign(response, { headers: [...response.headers, version] });

const version = ["Docker-Distribution-Api-Version", "registry/2.0"] as const;
