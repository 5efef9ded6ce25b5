import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { bytesContent } from "dray/content";
import { isDrayError } from "dray/errors";
import type { Handler } from "dray/http";
import { digestOf } from "dray/oci";
import { exchange } from "../exchange.ts";
import { seededBytes } from "../files/index.ts";
import { RequestLog } from "../log.ts";
import { type MemoryRegistry, memoryRegistry } from "../registry/index.ts";
import * as effects from "./index.ts";
import { type Effect, faults, rateLimit } from "./index.ts";

const bytes = seededBytes("faults", 600_000);
const digest = digestOf(bytes);
const target = `/v2/a/blobs/${digest}`;

const holding = (): MemoryRegistry => {
  const registry = memoryRegistry();
  registry.addBlob("a", bytes);
  return registry;
};

const with1 = (effect: Effect): Handler => faults(holding().handler, [{ effect }]);
const isCut = (error: unknown): boolean =>
  isDrayError(error, "NETWORK") && error.retryable && (error.cause as { code: string }).code === "ECONNRESET";

/** Bytes that came before the body failed. */
const until = async (handler: Handler): Promise<{ got: Uint8Array; error: unknown }> => {
  const response = await handler({ method: "GET", origin: "http://r", target, headers: [] });
  const parts: Uint8Array[] = [];
  try {
    for await (const chunk of response.body.chunks) parts.push(chunk);
  } catch (error) {
    return { got: Buffer.concat(parts), error };
  }
  return { got: Buffer.concat(parts), error: undefined };
};

test("a rule counts the requests that match it and acts when their turn comes", async () => {
  const handler = faults(memoryRegistry().handler, [
    { method: "GET", target: "/v2/", nth: 2, effect: effects.answerWith(500) },
    { target: /_catalog$/, nth: [1, 2], effect: effects.answerWith(429, { "Retry-After": "7" }, "slow") },
    { method: "PUT", effect: effects.answerWith(403) },
  ]);
  const status = async (method: string, path: string): Promise<number> =>
    (await exchange(handler, method, path)).status;
  assert.equal(await status("GET", "/v2/"), 200);
  assert.equal(await status("GET", "/v2/"), 500);
  assert.equal(await status("GET", "/v2/"), 200);
  const slow = await exchange(handler, "GET", "/v2/_catalog");
  assert.deepEqual([slow.status, slow.header("Retry-After"), Buffer.from(slow.bytes).toString()], [429, "7", "slow"]);
  assert.equal(await status("GET", "/v2/_catalog"), 429);
  assert.equal(await status("GET", "/v2/_catalog"), 200);
  for (let i = 0; i < 3; i++) assert.equal(await status("PUT", "/v2/a/manifests/x"), 403);
});

suite("effects", () => {
  test("the answer is cut after so many bytes, if it has more", async () => {
    for (const length of [0, 1, 300_000, 599_999]) {
      const { got, error } = await until(with1(effects.cutResponse(length)));
      assert.ok(isCut(error), String(length));
      assert.ok(Buffer.from(got).equals(bytes.subarray(0, length)));
    }
    assert.equal((await until(with1(effects.cutResponse(600_000)))).error, undefined);
  });

  test("the request is cut after so many bytes, if it has more; what came is kept or not", async () => {
    for (const [keepsCutUploads, kept] of [
      [true, [{ repository: "a", size: 1000 }]],
      [false, []],
    ] as const) {
      const registry = memoryRegistry({ keepsCutUploads });
      const handler = faults(registry.handler, [{ method: "PATCH", nth: [1, 2], effect: effects.cutRequest(1000) }]);
      const location = (await exchange(handler, "POST", "/v2/a/blobs/uploads/")).header("Location") ?? "";
      await assert.rejects(exchange(handler, "PATCH", location, { body: bytes }), isCut);
      assert.deepEqual(await registry.uploads(), kept);
      if (keepsCutUploads)
        assert.equal((await exchange(handler, "PATCH", location, { body: bytes.slice(0, 1000) })).status, 202);
    }
  });

  test("a re-openable body is cut as well", async () => {
    const registry = memoryRegistry();
    const handler = faults(registry.handler, [{ effect: effects.cutRequest(10) }]);
    const upload = { method: "POST", origin: "http://r", headers: [], body: bytesContent(bytes) };
    await assert.rejects(handler({ ...upload, target: `/v2/a/blobs/uploads/?digest=${digest}` }), isCut);
    assert.equal(registry.blob("a", digest), undefined);
  });

  test("an answer that gets lost was done all the same", async () => {
    const registry = memoryRegistry();
    const handler = faults(registry.handler, [{ effect: effects.loseAnswer() }]);
    const push = exchange(handler, "POST", `/v2/a/blobs/uploads/?digest=${digest}`, { body: bytes });
    await assert.rejects(push, isCut);
    assert.equal(registry.blob("a", digest)?.size, 600_000);
  });

  test("one byte is wrong, and the registry keeps the right one", async () => {
    const registry = holding();
    const handler = faults(registry.handler, [{ nth: 1, effect: effects.corrupt(300_000) }]);
    const wrong = (await exchange(handler, "GET", target)).bytes;
    assert.notEqual(digestOf(wrong), digest);
    wrong[300_000] = (wrong[300_000] ?? 0) ^ 0xff;
    assert.equal(digestOf(wrong), digest);
    assert.equal(digestOf((await exchange(handler, "GET", target)).bytes), digest);
  });

  test("headers are replaced, added and taken away", async () => {
    const effect = effects.rewrite({
      "content-length": "5",
      Warning: '299 - "old"',
      "docker-content-digest": undefined,
    });
    const answer = await exchange(with1(effect), "GET", target);
    assert.equal(answer.header("Content-Length"), "5");
    assert.equal(answer.header("Warning"), '299 - "old"');
    assert.equal(answer.header("Docker-Content-Digest"), undefined);
    assert.equal(answer.headers.filter(([name]) => name.toLowerCase() === "content-length").length, 1);
  });

  test("a redirect leads to the same target elsewhere, or to a URL", async () => {
    const there = await exchange(with1(effects.redirectTo("https://cdn.test")), "GET", "/v2/a?x=1");
    assert.deepEqual([there.status, there.header("Location")], [307, "https://cdn.test/v2/a?x=1"]);
    const url = await exchange(with1(effects.redirectTo("https://cdn.test/b?sig=1", 302)), "GET", "/v2/a");
    assert.deepEqual([url.status, url.header("Location")], [302, "https://cdn.test/b?sig=1"]);
  });

  test("held before it is looked at, or with the answer in hand", async () => {
    for (const when of ["before", "after"] as const) {
      const gate = Promise.withResolvers<void>();
      const registry = memoryRegistry();
      const handler = faults(registry.handler, [{ effect: effects.hold(gate.promise, when) }]);
      const push = exchange(handler, "POST", `/v2/a/blobs/uploads/?digest=${digest}`, { body: bytes });
      await new Promise(setImmediate);
      assert.equal(registry.blob("a", digest) !== undefined, when === "after");
      gate.resolve();
      assert.equal((await push).status, 201);
    }
  });

  test("a held request and a stalled body end when the client goes", async () => {
    const gone = new AbortController();
    const { signal } = gone;
    const held = exchange(with1(effects.hold(new Promise(() => {}))), "GET", target, { signal });
    const stalled = exchange(with1(effects.stall(1000)), "GET", target, { signal });
    await new Promise(setImmediate);
    gone.abort();
    await assert.rejects(held, { name: "AbortError" });
    await assert.rejects(stalled, { name: "AbortError" });
  });

  test("a stalled body gives its first bytes", async () => {
    const response = await with1(effects.stall(1000))({ method: "GET", origin: "http://r", target, headers: [] });
    const first = await response.body.chunks[Symbol.asyncIterator]().next();
    assert.equal((first.value as Uint8Array).byteLength, 1000);
  });

  test("a dropped session stays away", async () => {
    const registry = memoryRegistry();
    const handler = faults(registry.handler, [{ method: "PATCH", nth: 1, effect: effects.dropSession() }]);
    const location = (await exchange(handler, "POST", "/v2/a/blobs/uploads/")).header("Location") ?? "";
    for (const method of ["PATCH", "PATCH", "GET"]) {
      const answer = await exchange(handler, method, location, method === "GET" ? {} : { body: "x" });
      assert.equal(answer.status, 404);
      assert.match(Buffer.from(answer.bytes).toString(), /BLOB_UPLOAD_UNKNOWN/);
    }
    assert.deepEqual(await registry.uploads(), []);
  });

  test("something else first", async () => {
    let runs = 0;
    assert.equal((await exchange(with1(effects.run(() => runs++)), "GET", "/v2/")).status, 200);
    assert.equal(runs, 1);
  });
});

test("a rate limit counts in windows and says how long to wait", async () => {
  let now = 0;
  const limit = rateLimit(memoryRegistry().handler, {
    requests: 2,
    windowSeconds: 2,
    match: { target: "/manifests/" },
    now: () => now,
  });
  const ask = async (time: number, path = "/v2/a/manifests/x"): Promise<[number, string | undefined]> => {
    now = time;
    const answer = await exchange(limit.handler, "GET", path);
    return [answer.status, answer.header("Retry-After")];
  };
  assert.deepEqual(await ask(100), [404, undefined]);
  assert.deepEqual(await ask(200, "/v2/"), [200, undefined]);
  assert.deepEqual(await ask(300), [404, undefined]);
  assert.deepEqual(await ask(400), [429, "2"]);
  assert.deepEqual(await ask(1100), [429, "1"]);
  assert.deepEqual(await ask(2100), [404, undefined]);
  assert.deepEqual(
    limit.seen.map(({ time, retryAfterSeconds }) => [time, retryAfterSeconds]),
    [
      [100, undefined],
      [300, undefined],
      [400, 2],
      [1100, 1],
      [2100, undefined],
    ],
  );
});

test("a log counts what passes where it stands", async () => {
  let now = 0;
  const registry = holding();
  const log = new RequestLog(() => ++now);
  const handler = log.middleware(
    faults(registry.handler, [{ method: "GET", nth: 1, effect: effects.cutResponse(1000) }]),
  );
  await assert.rejects(exchange(handler, "GET", target));
  await exchange(handler, "GET", target, { headers: { Range: "bytes=1000-" } });
  await exchange(handler, "POST", `/v2/b/blobs/uploads/?digest=${digest}`, { body: bytes });
  assert.equal(log.bytesOut(digest), 600_000);
  assert.equal(log.bytesIn("/v2/b/"), 600_000);
  assert.deepEqual(
    log.entries.map(({ time, method, status, bytesOut }) => [time, method, status, bytesOut]),
    [
      [1, "GET", 200, 1000],
      [2, "GET", 206, 599_000],
      [3, "POST", 201, 0],
    ],
  );
  assert.equal(log.count({ method: "GET", status: 206 }), 1);
  assert.equal(log.count({ target: /uploads/ }), 1);
  log.clear();
  assert.equal(log.count(), 0);
});
