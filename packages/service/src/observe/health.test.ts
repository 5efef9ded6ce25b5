import assert from "node:assert/strict";
import { test } from "node:test";
import type { HttpRequest, HttpResponse } from "dray/http";
import type { ServedBody } from "../response/index.ts";
import { debugHandler } from "./debug.ts";
import { HealthChecks, type HealthSources } from "./health.ts";

const get = (target: string, method = "GET"): HttpRequest => ({ method, origin: "http://r", target, headers: [] });
const json = ({ body }: HttpResponse): unknown => JSON.parse(new TextDecoder().decode((body as ServedBody).bytes));

const checks = (sources: Partial<HealthSources> = {}): HealthChecks =>
  new HealthChecks({ look: async () => ({ told: { mood: "good" }, failing: {} }), ...sources });
const ask = (health: HealthChecks, target: string): Promise<HttpResponse> =>
  health.middleware(async () => {
    throw new Error("went on");
  })(get(target));

test("what is told and what fails decides who is ready; whoever answers is alive", async () => {
  const well = await ask(checks(), "/readyz");
  assert.deepEqual([well.status, json(well)], [200, { status: "ready", mood: "good", lifecycle: "up" }]);
  const ending = await ask(checks({ stopping: () => true }), "/readyz");
  assert.deepEqual([ending.status, json(ending)], [503, { status: "unready", mood: "good", lifecycle: "stopping" }]);
  const ill = checks({ look: async () => ({ told: { mood: "bad" }, failing: { disk: "no answer within 5 s" } }) });
  const unready = await ask(ill, "/readyz");
  assert.deepEqual([unready.status, json(unready)], [503, { status: "unready", mood: "bad", lifecycle: "up" }]);
  assert.equal((await ask(ill, "/livez")).status, 200);
  const why = await debugHandler(ill)(get("/debug/health"));
  assert.deepEqual([why.status, json(why)], [503, { disk: "no answer within 5 s" }]);
});

test("an operator takes it out of service and back", async () => {
  const health = checks();
  const debug = debugHandler(health);
  assert.deepEqual(json(await debug(get("/debug/health"))), {});
  assert.equal((await debug(get("/debug/health/down"))).status, 404);
  assert.equal((await debug(get("/debug/health/down", "POST"))).status, 200);
  const down = await ask(health, "/other");
  assert.deepEqual(
    [down.status, json(down)],
    [
      503,
      {
        errors: [
          {
            code: "UNAVAILABLE",
            message: "service unavailable",
            detail: "health check failed: please see /debug/health",
          },
        ],
      },
    ],
  );
  assert.deepEqual(json(await debug(get("/debug/health"))), { manual_http_status: "manual Check" });
  assert.deepEqual(
    [(await debug(get("/readyz"))).status, (await debug(get("/livez"))).status, (await ask(health, "/livez")).status],
    [503, 200, 200],
  );
  await debug(get("/debug/health/up", "POST"));
  await assert.rejects(ask(health, "/other"), /went on/);
});

test("the debug listener tells the metrics, where they are switched on, and nothing else", async () => {
  const metrics = { text: async () => "page", contentType: "text/plain" };
  const debug = debugHandler(checks(), { metrics, path: "/prometheus" });
  const page = await debug(get("/prometheus?x=1"));
  assert.deepEqual(
    [page.status, new TextDecoder().decode((page.body as ServedBody).bytes), page.headers[0]],
    [200, "page", ["Content-Type", "text/plain"]],
  );
  assert.equal((await debug(get("/metrics"))).status, 404);
  assert.equal((await debugHandler(checks())(get("/metrics"))).status, 404);
  assert.equal((await debug(get("/other"))).status, 404);
});
