import assert from "node:assert/strict";
import { test } from "node:test";
import { debugHandler, HealthChecks } from "@dray/service/observe";
import type { ServedBody } from "@dray/service/response";
import { DrayError } from "dray/errors";
import type { Clock, HttpRequest, HttpResponse } from "dray/http";
import type { Driver } from "../storage/driver.ts";
import { memoryDriver } from "../storage/index.ts";
import { type RegistrySources, registryHealth } from "./registry-health.ts";

const get = (target: string, method = "GET"): HttpRequest => ({ method, origin: "http://r", target, headers: [] });
const json = ({ body }: HttpResponse): unknown => JSON.parse(new TextDecoder().decode((body as ServedBody).bytes));

/** A driver in memory where some of it goes wrong. */
const broken = (faults: Partial<Driver>): Driver => {
  const driver = memoryDriver();
  return {
    ...faults,
    stat: faults.stat ?? ((path) => driver.stat(path)),
    write: faults.write ?? ((path, bytes) => driver.write(path, bytes)),
  } as Driver;
};

const time = (): Clock & { now: { (): number; value: number } } => {
  const now = Object.assign(() => now.value, { value: 0 });
  return { now, random: () => 0, sleep: (_, signal) => new Promise((_, no) => signal?.addEventListener("abort", no)) };
};
const checks = (sources: Partial<RegistrySources> = {}, clock: Clock = time()): HealthChecks =>
  new HealthChecks(registryHealth({ driver: memoryDriver(), name: "filesystem", ...sources }, { clock }));
const ask = (health: HealthChecks, target: string): Promise<HttpResponse> =>
  health.middleware(async () => {
    throw new Error("went on");
  })(get(target));

const mib = 1024 * 1024;
const well = { storage: "ok", space: "unknown", index: "whole", mode: "read-write", lifecycle: "up" };

test("a registry that is well is alive and ready", async () => {
  const health = checks();
  const alive = await ask(health, "/livez");
  assert.deepEqual([alive.status, json(alive)], [200, { status: "alive" }]);
  const ready = await ask(health, "/readyz");
  assert.deepEqual([ready.status, json(ready)], [200, { status: "ready", ...well }]);
});

test("what stops pushes or slows pulls is told and is no reason to send nobody", async () => {
  const full = (): Promise<never> => Promise.reject(new DrayError("DISK", "cannot write /data/x: full"));
  for (const [sources, told] of [
    [{ driver: broken({ write: full }) }, { storage: "unwritable" }],
    [{ driver: broken({ space: async () => ({ free: 9, total: 100 }) }), freeSpace: 10 }, { space: "low" }],
    [{ driver: broken({ space: async () => ({ free: 0, total: 100 }) }) }, { space: "low" }],
    [{ driver: broken({ space: async () => ({ free: 10, total: 100 }) }), freeSpace: 10 }, { space: "ok" }],
    [{ driver: broken({ space: async () => ({ free: mib, total: mib }) }), promised: () => 0 }, { space: "ok" }],
    [{ driver: broken({ space: async () => ({ free: mib, total: mib }) }), promised: () => 1 }, { space: "promised" }],
    [{ driver: broken({ space: async () => ({ free: 9 * mib, total: mib }) }), promised: () => mib }, { space: "ok" }],
    [
      {
        driver: broken({ space: async () => ({ free: 9 * mib, total: mib }) }),
        freeSpace: 5 * mib,
        promised: () => mib,
      },
      { space: "promised" },
    ],
    [{ driver: broken({ space: () => full() }) }, {}],
    [{ whole: () => false }, { index: "rebuilding" }],
    [{ readOnly: () => true, driver: broken({ write: full }) }, { mode: "read-only" }],
  ] as const) {
    const ready = await ask(checks(sources), "/readyz");
    assert.deepEqual([ready.status, json(ready)], [200, { status: "ready", ...well, ...told }]);
  }
});

test("a storage that cannot be read, or does not answer, makes it unready and not dead", async () => {
  const hangs = { ...time(), sleep: async () => {} };
  for (const [health, why] of [
    [checks({ driver: broken({ stat: () => Promise.reject(new DrayError("DISK", "input/output")) }) }), "input/output"],
    [checks({ driver: broken({ stat: () => new Promise(() => {}) }) }, hangs), "no answer within 5 s"],
  ] as const) {
    const ready = await ask(health, "/readyz");
    assert.deepEqual([ready.status, json(ready)], [503, { status: "unready", ...well, storage: "unreadable" }]);
    assert.equal((await ask(health, "/livez")).status, 200);
    const failing = await debugHandler(health)(get("/debug/health"));
    assert.deepEqual([failing.status, json(failing)], [503, { storagedriver_filesystem: why }]);
  }
});

test("a process that is about to end is not ready", async () => {
  const ready = await ask(checks({ stopping: () => true }), "/readyz");
  assert.deepEqual([ready.status, (json(ready) as { lifecycle: string }).lifecycle], [503, "stopping"]);
});

test("the storage is asked once in ten seconds, and a change is told once", async () => {
  let asked = 0;
  let fault: Error | undefined;
  const changes: string[] = [];
  const clock = time();
  const health = checks(
    {
      driver: broken({
        stat: async () => {
          asked++;
          if (fault !== undefined) throw fault;
          return undefined;
        },
      }),
      onChange: (message) => changes.push(message),
    },
    clock,
  );
  await Promise.all([health.failing(), health.failing(), ask(health, "/readyz")]);
  assert.deepEqual([asked, changes], [1, []]);
  fault = new Error("gone");
  for (const at of [9_999, 10_000, 20_000]) {
    clock.now.value = at;
    await health.failing();
  }
  assert.deepEqual([asked, changes], [3, ["storage: gone"]]);
  fault = undefined;
  clock.now.value = 30_000;
  await health.failing();
  assert.deepEqual(changes, ["storage: gone", "the storage is well again"]);
});
