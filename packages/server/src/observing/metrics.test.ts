import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Histogram, observe } from "@dray/service/observe";
import { memoryBody, type ReceivedBody } from "@dray/service/response";
import { bytesBody } from "dray/content";
import { DrayError } from "dray/errors";
import type { HttpRequest } from "dray/http";
import { digestOf } from "dray/oci";
import type { Driver } from "../storage/driver.ts";
import { type Metrics, openMetrics } from "./metrics.ts";

const page = async (metrics: Metrics): Promise<string[]> => (await metrics.text()).split("\n");
const without = (): Promise<Metrics> => openMetrics({ processes: false });
const request = (over: Partial<HttpRequest> = {}): HttpRequest => ({
  method: "GET",
  origin: "http://r",
  target: "/v2/a/manifests/1",
  headers: [["Host", "r"]],
  ...over,
});

describe("requests", () => {
  const clock = (): (() => number) => {
    let time = 0;
    return () => (time += 30);
  };

  test("names, labels and bounds are those of distribution", async () => {
    const metrics = await without();
    const handler = observe([metrics.http.observer(() => "manifest")], { now: clock() })(async ({ body }) => {
      if (body !== undefined && "chunks" in body) for await (const _ of body.chunks);
      return { status: 201, headers: [], url: "", body: memoryBody(new Uint8Array(1500)) };
    });
    await handler(request());
    await handler(
      request({ method: "PUT", body: { ...bytesBody(new Uint8Array(5000)), received: 5000 } as ReceivedBody }),
    );
    await handler(request({ method: "BREW" }));
    const lines = await page(metrics);
    for (const line of [
      "# TYPE registry_http_requests_total counter",
      'registry_http_requests_total{code="201",handler="manifest",method="get"} 1',
      'registry_http_requests_total{code="201",handler="manifest",method="put"} 1',
      'registry_http_requests_total{code="201",handler="manifest",method="unknown"} 1',
      "# TYPE registry_http_request_duration_seconds histogram",
      'registry_http_request_duration_seconds_bucket{handler="manifest",method="get",le="0.025"} 0',
      'registry_http_request_duration_seconds_bucket{handler="manifest",method="get",le="0.05"} 1',
      'registry_http_request_duration_seconds_bucket{handler="manifest",method="get",le="+Inf"} 1',
      'registry_http_request_duration_seconds_sum{handler="manifest",method="get"} 0.03',
      'registry_http_request_duration_seconds_count{handler="manifest",method="get"} 1',
      'registry_http_request_size_bytes_bucket{handler="manifest",le="1024"} 2',
      'registry_http_request_size_bytes_bucket{handler="manifest",le="8192"} 3',
      'registry_http_response_size_bytes_bucket{handler="manifest",le="1024"} 0',
      'registry_http_response_size_bytes_bucket{handler="manifest",le="2048"} 3',
      'registry_http_response_size_bytes_bucket{handler="manifest",le="2147483648"} 3',
      'registry_http_response_size_bytes_sum{handler="manifest"} 4500',
      'registry_http_in_flight_requests{handler="manifest"} 0',
    ])
      assert.ok(lines.includes(line), line);
  });

  test("a request is in flight until its answer is there, also when that fails", async () => {
    const metrics = await without();
    const told: string[] = [];
    const inFlight = async (): Promise<void> => {
      told.push(...(await page(metrics)).filter((line) => line.startsWith("registry_http_in_flight_requests{")));
    };
    const handler = observe([metrics.http.observer(() => "blob")])(async () => {
      await inFlight();
      throw new Error("broken");
    });
    await assert.rejects(handler(request()));
    await inFlight();
    assert.deepEqual(told, [
      'registry_http_in_flight_requests{handler="blob"} 1',
      'registry_http_in_flight_requests{handler="blob"} 0',
    ]);
    assert.ok((await page(metrics)).includes('registry_http_requests_total{code="500",handler="blob",method="get"} 1'));
  });

  test("what is no route is not counted", async () => {
    const metrics = await without();
    const handler = observe([metrics.http.observer(() => undefined)])(async () => ({
      status: 404,
      headers: [],
      url: "",
      body: memoryBody(new Uint8Array(0)),
    }));
    await handler(request());
    assert.doesNotMatch(await metrics.text(), /registry_http_requests_total\{/);
  });
});

test("a bucket counts what lies at or below its bound", () => {
  const histogram = new Histogram([1, 10]);
  for (const value of [0, 1, 1.5, 10, 11]) histogram.observe(value);
  assert.deepEqual(histogram.read(), {
    buckets: [
      ["1", 2],
      ["10", 4],
      ["+Inf", 5],
    ],
    sum: 23.5,
    count: 5,
  });
});

test("a timed driver does what the driver does, and its failures count too", async () => {
  const calls: string[] = [];
  const said =
    <T>(name: string, value: T) =>
    async (...words: unknown[]): Promise<T> => {
      calls.push([name, ...words].map((word) => JSON.stringify(word)).join(" "));
      return value;
    };
  const bytes = new Uint8Array(1);
  const facts = { size: 1, mtime: 1, ino: 1, directory: false };
  const driver = {
    read: said("read", bytes),
    open: said("open", undefined),
    stat: said("stat", facts),
    list: said("list", ["a"]),
    write: (_path: string, _bytes: Uint8Array, { durable: lasting = true } = {}) =>
      Promise.reject(new DrayError("DISK", lasting ? "full" : "full for a moment")),
    makeDirectory: said("makeDirectory", undefined),
    move: said("move", undefined),
    remove: said("remove", undefined),
    removeEmpty: said("removeEmpty", true),
    touch: said("touch", undefined),
    receive: said("receive", {} as never),
    close: said("close", undefined),
  } satisfies Driver;
  const metrics = await without();
  let time = 0;
  const timed = metrics.storage.timed(driver, "filesystem", { now: () => (time += 20) });
  assert.ok(!("space" in timed));
  assert.equal(await timed.read("x"), bytes);
  assert.equal(await timed.stat("x"), facts);
  assert.deepEqual(await timed.list("x"), ["a"]);
  await timed.open("x");
  await timed.move("x", "y", { alone: true });
  await timed.remove("x", { durable: false });
  await timed.touch("x", { durable: false });
  await timed.receive("x", "sha256");
  await timed.close();
  await assert.rejects(timed.write("x", bytes, { durable: false }), /full for a moment/);
  assert.deepEqual(calls, [
    '"read" "x"',
    '"stat" "x"',
    '"list" "x"',
    '"open" "x"',
    '"move" "x" "y" {"alone":true}',
    '"remove" "x" {"durable":false}',
    '"touch" "x" {"durable":false}',
    '"receive" "x" "sha256"',
    '"close"',
  ]);
  const lines = await page(metrics);
  for (const action of ["GetContent", "PutContent", "Stat", "List", "Move", "Delete", "Reader", "Writer", "Touch"]) {
    const labels = `driver="filesystem",action="${action}"`;
    assert.ok(lines.includes(`registry_storage_action_seconds_sum{${labels}} 0.02`), action);
    assert.ok(lines.includes(`registry_storage_action_seconds_bucket{${labels},le="0.01"} 0`), action);
    assert.ok(lines.includes(`registry_storage_action_seconds_bucket{${labels},le="0.025"} 1`), action);
  }
});

test("our own counts", async () => {
  const metrics = await without();
  metrics.cache.requests = 3;
  metrics.cache.hits = 2;
  const collected = {
    manifests: 1,
    layers: 2,
    blobs: 3,
    uploads: 6,
    bytes: 400,
    kept: 9,
    tags: 0,
    repositories: 0,
    unreadable: [{ repository: "a", digest: digestOf(new Uint8Array()) }],
    held: [
      { repository: "a", reason: "it is unreadable", remedy: "delete it" },
      { repository: "b", reason: "its folder is unreadable", remedy: "look" },
    ],
    troubles: 4,
    seconds: 2,
  };
  metrics.collected({ ...collected, dryRun: false }, 5000);
  metrics.collected({ ...collected, dryRun: true }, 9000);
  metrics.read({
    index: () => ({ repositories: 1, tags: 2, manifests: 3 }),
    whole: () => false,
    uploads: () => 4,
    memory: () => 5,
    lockouts: () => 6,
    readOnly: () => true,
    gcPaused: async () => true,
    stopped: () => true,
    certificateEnd: () => 7000,
    space: async () => ({ free: 10, total: 20 }),
    promised: () => 8,
  });
  const lines = await page(metrics);
  for (const line of [
    "registry_storage_cache_requests_total 3",
    "registry_storage_cache_hits_total 2",
    "registry_storage_cache_errors_total 0",
    "dray_gc_runs_total 1",
    "dray_gc_removed_bytes_total 400",
    'dray_gc_removed_total{kind="layers"} 2',
    'dray_gc_removed_total{kind="uploads"} 6',
    "dray_gc_last_run_timestamp_seconds 5",
    'dray_index_entries{kind="tags"} 2',
    "dray_index_whole 0",
    "dray_uploads_open 4",
    "dray_memory_bytes 5",
    "dray_lockouts_total 6",
    "dray_read_only 1",
    "dray_gc_paused 1",
    "dray_gc_held_repositories 2",
    "dray_gc_unreadable_manifests 1",
    "dray_gc_troubles 4",
    "dray_storage_stopped 1",
    "dray_certificate_end_timestamp_seconds 7",
    "dray_storage_free_bytes 10",
    "dray_storage_size_bytes 20",
    "dray_storage_promised_bytes 8",
  ])
    assert.ok(lines.includes(line), line);
});

test("what cannot be read now is missing from a page that is there", async () => {
  const metrics = await without();
  metrics.read({ space: () => Promise.reject(new DrayError("DISK", "gone")), uploads: () => 1 });
  const lines = await page(metrics);
  assert.ok(lines.includes("dray_uploads_open 1"));
  assert.ok(!lines.some((line) => line.startsWith("dray_storage_free_bytes ")));
});

test("the page tells of the process, too", async () => {
  const metrics = await openMetrics();
  assert.match(await metrics.text(), /^process_resident_memory_bytes [1-9]\d+$/m);
  assert.match(metrics.contentType, /^text\/plain; version=0\.0\.4/);
});
