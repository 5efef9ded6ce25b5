import assert from "node:assert/strict";
import { test } from "node:test";
import {
  answerWith,
  fakeClock,
  faults,
  listen,
  memoryRegistry,
  put,
  sampleImage,
  testCertificates,
} from "@dray/testkit";
import { isDrayError } from "dray/errors";
import type { TraceRecord } from "dray/http";
import { clients } from "../../test/clients.ts";
import { parseRepository } from "../repository.ts";
import { remoteClientFactory } from "./factory.ts";

test("repositories of one registry share what is known of it, each with its own client", async () => {
  const { registry, client } = clients();
  put(registry, "team/app", "v1", sampleImage());
  put(registry, "team/other", "v2", sampleImage({ seed: "2" }));
  const [app, other] = await Promise.all([client(), client("registry.example/team/other")]);
  assert.deepEqual(
    [app.repository.text, other.repository.text],
    ["registry.example/team/app", "registry.example/team/other"],
  );
  assert.deepEqual((await app.tags()).tags, ["v1"]);
  assert.deepEqual((await other.tags()).tags, ["v2"]);
  assert.equal(registry.log.count({ target: /\/v2\/$/ }), 0);
});

test("credentials are the client's: two for one registry see what is theirs", async () => {
  const users = { ann: "secret-a", bob: "secret-b" };
  const registry = memoryRegistry({ access: { scheme: "basic", users } });
  put(registry, "team/app", "v1", sampleImage());
  const { factory } = clients({}, registry);
  const as = (username: string, password: string) => async () => ({ username, password, source: "the test" });
  const repository = parseRepository("registry.example/team/app");
  const ann = await factory.clientFor(repository, as("ann", "secret-a"));
  const eve = await factory.clientFor(repository, as("eve", "guess"));
  assert.deepEqual((await ann.tags()).tags, ["v1"]);
  await assert.rejects(eve.tags(), (error) => isDrayError(error, "UNAUTHORIZED") && !error.message.includes("guess"));
  assert.deepEqual((await ann.tags()).tags, ["v1"]);
});

test("every request is traced, without any secret", async () => {
  const seen: TraceRecord[] = [];
  const { registry, client } = clients({ trace: (record) => void seen.push(record) });
  registry.addTags("team/app", ["v1"]);
  await (await client()).tags();
  assert.deepEqual(
    seen.map(({ method, status }) => [method, status]),
    [["GET", 200]],
  );
  assert.match(seen[0]?.url ?? "", /^https:\/\/registry\.example\/v2\/team\/app\/tags\/list\?n=1000$/);
});

test("an insecure host may have any certificate, named with its port or without; others may not", async () => {
  const registry = memoryRegistry();
  registry.addTags("team/app", ["v1"]);
  const { server } = testCertificates();
  const listener = await listen(registry.handler, { tls: server });
  const host = new URL(listener.origin).host;
  try {
    for (const [insecureHosts, isReached] of [
      [[host], true],
      [[host.replace(/:\d+$/, "")], true],
      [["elsewhere.example"], false],
    ] as const) {
      const factory = remoteClientFactory({
        insecureHosts,
        connect: () => ({ ambient: false, plainHttp: isReached ? undefined : false, retry: { attempts: 1 } }),
      });
      const client = await factory.clientFor(parseRepository(`${host}/team/app`));
      if (isReached) assert.deepEqual((await client.tags()).tags, ["v1"]);
      else await assert.rejects(client.tags(), (error) => isDrayError(error, "TLS"));
      await factory.close();
    }
  } finally {
    await listener.close();
  }
});

test("an insecure host that speaks plain http is reached", async () => {
  const registry = memoryRegistry();
  registry.addTags("team/app", ["v1"]);
  const listener = await listen(registry.handler);
  const { host } = new URL(listener.origin);
  const factory = remoteClientFactory({ insecureHosts: [host], connect: () => ({ ambient: false }) });
  try {
    const client = await factory.clientFor(parseRepository(`${host}/team/app`));
    assert.deepEqual((await client.tags()).tags, ["v1"]);
  } finally {
    await factory.close();
    await listener.close();
  }
});

test("a registry that refuses is asked half as fast, waited for as it says, and faster again by time once something succeeds", async () => {
  const clock = fakeClock();
  const registry = memoryRegistry();
  registry.addTags("team/app", ["v1"]);
  const refused = answerWith(429, { "Retry-After": "7" });
  const handler = faults(registry.handler, [{ target: "/tags/list", nth: [1, 2], effect: refused }]);
  const { client, factory } = clients({ clock, rps: 40, burst: 10 }, registry, handler);
  const app = await client();
  const began = clock.now();
  assert.deepEqual((await clock.run(app.tags())).tags, ["v1"]);
  assert.ok(clock.now() - began >= 14_000);
  assert.equal(factory.rps("registry.example"), 10);
  assert.equal(factory.rps("other.example"), 40);
  factory.succeed(app.repository);
  assert.equal(factory.rps("registry.example"), 10);
  await clock.advance(60_000);
  factory.succeed(app.repository);
  assert.equal(factory.rps("registry.example"), 15);
  factory.succeed(parseRepository("never.example/asked"));
});

test("a registry that wants more time than there is fails by its status, with the time it wants", async () => {
  const registry = memoryRegistry();
  const effect = answerWith(429, { "Retry-After": "3600" });
  const { client } = clients({ clock: fakeClock(), maxWait: 60_000 }, registry, faults(registry.handler, [{ effect }]));
  await assert.rejects(
    (await client()).tags(),
    (error) => isDrayError(error, "RATE_LIMITED") && error.retryAfter === 3600,
  );
});

test("attempts are as many as were said, with the waits that were said", async () => {
  const clock = fakeClock(0);
  const registry = memoryRegistry();
  const times: number[] = [];
  const handler = faults(registry.handler, [
    {
      effect: async (request) => {
        times.push(clock.now());
        return answerWith(503)(request, registry.handler);
      },
    },
  ]);
  const { client } = clients({ clock, backoff: { initial: 1_000, max: 3_000, attempts: 4 } }, registry, handler);
  await assert.rejects(clock.run((await client()).tags()), (error) => isDrayError(error, "REGISTRY"));
  assert.equal(times.length, 4);
  const waits = times.slice(1).map((time, i) => time - (times[i] ?? 0));
  // A part of each wait is left to chance, which is always the same here.
  assert.deepEqual(waits, [750, 1_500, 2_250]);
});

test("what makes no sense is refused when the factory is made", () => {
  for (const [options, code] of [
    [{ rps: -1 }, "USAGE"],
    [{ burst: 0 }, "USAGE"],
    [{ platforms: ["linux//"] }, "PLATFORM_INVALID"],
  ] as const)
    assert.throws(
      () => remoteClientFactory(options),
      (error) => isDrayError(error, code),
    );
});
