import type { Handler, HttpRequest, HttpResponse } from "dray/http";
import { bare, withBytes, withJson } from "../response/index.ts";
import type { HealthChecks } from "./health.ts";

/**
 * What distribution serves on `http.debug.addr`, for those who run the registry: the page for Prometheus, `/debug/health`, and the
 * switch that takes it out of service and back (`POST /debug/health/down`, `…/up`). `/livez` and `/readyz` are there, too. Nobody is asked who he
 * is: listen where only they can reach it.
 */
export const debugHandler = (
  health: HealthChecks,
  {
    metrics,
    path = "/metrics",
  }: { metrics?: { text(): Promise<string>; readonly contentType: string }; path?: string } = {},
): Handler => {
  const rest = async (request: HttpRequest): Promise<HttpResponse> => {
    const [target = ""] = request.target.split("?");
    const reads = request.method === "GET" || request.method === "HEAD";
    if (reads && metrics !== undefined && target === path) {
      const page = new TextEncoder().encode(await metrics.text());
      return withBytes(request, 200, [["Content-Type", metrics.contentType]], page);
    }
    if (reads && target === "/debug/health") {
      const failing = await health.failing();
      const answer = withJson(request, failing);
      return Object.keys(failing).length === 0 ? answer : { ...answer, status: 503 };
    }
    if (request.method === "POST" && (target === "/debug/health/down" || target === "/debug/health/up")) {
      health.setDown(target.endsWith("/down"));
      return bare(request, 200);
    }
    return bare(request, 404);
  };
  // Around the switch and not behind it: what is down must be found, and brought up again.
  return (request) =>
    request.target === "/livez" || request.target === "/readyz" ? health.middleware(rest)(request) : rest(request);
};
