import assert from "node:assert/strict";
import { test } from "node:test";
import { fakeClock, put, sampleImage } from "@dray/testkit";
import { mockCache } from "@dray/testkit/watch";
import { bytesBody } from "dray/content";
import { isDrayError } from "dray/errors";
import type { Handler } from "dray/http";
import { clients } from "../../test/clients.ts";
import { decodeEntry } from "../entry/index.ts";
import {
  backoffMiddleware,
  cached,
  clientDurations,
  entryKey,
  instrumentedClient,
  labelRequestKind,
  requestKinds,
} from "./index.ts";

const repository = "team/app";

test("requests are counted by kind and by whether they succeeded, under flux's name", async () => {
  const { registry, client } = clients();
  put(registry, repository, "v1", sampleImage());
  const durations = clientDurations();
  const app = instrumentedClient(await client(), durations);
  assert.deepEqual((await app.tags()).tags, ["v1"]);
  const digest = await app.digest("v1");
  assert.equal((await app.manifest("v1", { digest })).info?.digest, digest);
  await assert.rejects(app.manifest("gone"), (error) => isDrayError(error, "NOT_FOUND"));
  await assert.rejects(app.tags({ signal: AbortSignal.abort() }));
  const family = durations.family();
  assert.equal(family.name, "flux_client_fetch_duration_seconds");
  const counts = [...(await family.values())]
    .filter(({ metricName }) => metricName?.endsWith("_count"))
    .map(({ labels, value }) => [labels?.[labelRequestKind], labels?.["success"], value]);
  assert.equal(labelRequestKind, "kind");
  assert.deepEqual(counts, [
    [requestKinds.tags, "true", 1],
    [requestKinds.metadata, "true", 2],
    ["metadata", "false", 1],
    ["tags", "false", 1],
  ]);
});

test("what a tag names is asked of the cache first, until it expires", async () => {
  const clock = fakeClock();
  const { registry, client } = clients();
  const image = sampleImage();
  put(registry, repository, "v1", image);
  const cache = mockCache();
  const app = cached(await client(), cache, { expiry: 60_000, clock });
  const entry = await app.manifest("v1");
  assert.equal(entry.info?.digest, image.root.digest);
  registry.log.clear();
  assert.deepEqual(await app.manifest("v1"), entry);
  assert.equal(registry.log.entries.length, 0);
  const [[key, { value, deadline }] = assert.fail()] = [...cache.kept];
  assert.equal(key, entryKey(app.repository, "v1"));
  assert.deepEqual(decodeEntry(value), entry);
  assert.equal(deadline, clock.now() + 60_000);
  await clock.advance(60_000);
  await app.manifest("v1");
  assert.equal(registry.log.count({ target: "/manifests/v1" }), 1);
});

test("the tag latest, lists and digests come from the registry each time", async () => {
  const { registry, client } = clients();
  put(registry, repository, "latest", sampleImage());
  const cache = mockCache();
  const app = cached(await client(), cache);
  for (let i = 0; i < 2; i++) {
    await app.manifest("latest");
    await app.digest("latest");
    await app.tags();
  }
  assert.equal(registry.log.count({ target: "/manifests/latest" }), 4);
  assert.equal(registry.log.count({ target: "/tags/list" }), 2);
  assert.equal(cache.kept.size, 0);
});

test("a tag that is known to have moved is looked at again, and what lies in the cache damaged as well", async () => {
  const { registry, client } = clients();
  const [first, second] = [sampleImage({ seed: "1" }), sampleImage({ seed: "2" })];
  put(registry, repository, "v1", first);
  const cache = mockCache();
  const app = cached(await client(), cache);
  await app.manifest("v1");
  put(registry, repository, "v1", second);
  assert.equal((await app.manifest("v1")).info?.digest, first.root.digest);
  const digest = await app.digest("v1");
  assert.equal((await app.manifest("v1", { digest })).info?.digest, second.root.digest);
  const key = entryKey(app.repository, "v1");
  cache.kept.set(key, { value: new Uint8Array([1, 2]), deadline: Number.MAX_SAFE_INTEGER });
  assert.equal((await app.manifest("v1")).info?.digest, second.root.digest);
});

test("a cache that fails is told of and gone round; a caller that has gone is not asked for", async () => {
  const { registry, client } = clients();
  put(registry, repository, "v1", sampleImage());
  const cache = mockCache();
  cache.broken = true;
  const warnings: string[] = [];
  const app = cached(await client(), cache, { onWarning: (message) => void warnings.push(message) });
  assert.ok((await app.manifest("v1")).info);
  assert.equal(warnings.length, 2);
  assert.match(warnings[0] ?? "", /^the cache fails at reading drayentryv1\|.*v1.*: the cache is broken$/);
  const signal = AbortSignal.abort();
  await assert.rejects(app.manifest("v1", { signal }), (error) => isDrayError(error, "ABORTED"));
  assert.equal(warnings.length, 2);
});

test("an expiry of thirty days or more, which memcached takes for a date, is refused", async () => {
  const { client } = clients();
  const app = await client();
  for (const expiry of [0, 30 * 24 * 3_600_000, Number.NaN])
    assert.throws(
      () => cached(app, mockCache(), { expiry }),
      (error) => isDrayError(error, "USAGE"),
    );
});

const request = { method: "GET", origin: "https://r.example", target: "/v2/", headers: [] } as const;

test("back-off doubles from its first wait to its longest, for one request at a time, and lets go of what it does not return", async () => {
  const clock = fakeClock(0);
  const times: number[] = [];
  let discarded = 0;
  const failures = (count: number): Handler => {
    let left = count;
    return async () => {
      times.push(clock.now());
      const status = left-- > 0 ? ([429, 500, 503][left % 3] ?? 500) : 200;
      const body = bytesBody(new Uint8Array());
      return {
        status,
        headers: [],
        url: "https://r.example/v2/",
        body: { ...body, discard: async () => void discarded++ },
      };
    };
  };
  const around = backoffMiddleware({ initial: 500, max: 3_000, clock });
  assert.equal((await clock.run(around(failures(6))(request))).status, 200);
  assert.deepEqual(times, [0, 500, 1_500, 3_500, 6_500, 9_500, 12_500]);
  assert.equal(discarded, 6);
  times.length = 0;
  await clock.run(around(failures(1))(request));
  assert.deepEqual(times, [12_500, 13_000]);
});

test("back-off goes on for as long as its caller waits, ends with the signal, and obeys Retry-After", async () => {
  const clock = fakeClock(0);
  let asked = 0;
  const refused: Handler = async () => {
    asked++;
    const headers = [["Retry-After", "30"]] as const;
    return { status: 429, headers, url: "https://r.example/v2/", body: bytesBody(new Uint8Array()) };
  };
  const stop = new AbortController();
  const work = backoffMiddleware({ clock })(refused)({ ...request, signal: stop.signal });
  const ended = assert.rejects(work, (error) => isDrayError(error, "ABORTED"));
  await clock.advance(100 * 30_000);
  assert.equal(asked, 101);
  stop.abort();
  await ended;
  assert.equal(clock.sleeping, 0);
  asked = 0;
  const twice = backoffMiddleware({ clock, attempts: 2 })(refused)(request);
  assert.equal((await clock.run(twice)).status, 429);
  assert.equal(asked, 2);
});
