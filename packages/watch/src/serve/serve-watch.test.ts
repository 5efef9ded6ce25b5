import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { test } from "node:test";
import { receiver } from "../../test/receiver.ts";
import { ask, hear, registryToWatch, served, until } from "../../test/serving.ts";

test("a push that a registry tells of is known, told to a sink and on the stream; a forged one asks for nothing", async () => {
  const registry = await registryToWatch();
  await registry.push("team/app", "1.0");
  const sink = await receiver();
  const { serving, close } = await served(
    `
repositories: ["${registry.host}/team/app"]
webhooks:
  github: { type: ghcr, secret: { variable: HOOK }, registry: "${registry.host}" }
sinks:
  ci: { type: webhook, url: "${sink.origin}/hook", secret: signed }
`,
    { env: { HOOK: "s3cret" } },
  );
  const { origin } = serving;
  const first = await until(async () => {
    const answer = await ask(origin, `/v1/images/${registry.host}/team/app`);
    return answer.status === 200 && answer.json.known === 1 && answer;
  });
  assert.equal(first.json.tagsPage[0].tag, "1.0");
  assert.deepEqual(sink.received, [], "the first look is silent");

  const stream = await hear(origin, "/v1/events");
  assert.equal(stream.type, "text/event-stream");
  const digest = await registry.push("team/app", "1.1");
  const [owner, name] = ["team", "app"];
  const notice = JSON.stringify({
    action: "published",
    registry_package: {
      name,
      namespace: owner,
      package_type: "CONTAINER",
      package_version: { version: digest, container_metadata: { tag: { name: "1.1", digest } } },
    },
  });
  const headers = { "X-GitHub-Event": "registry_package", "X-GitHub-Delivery": "one" };
  registry.requests.length = 0;
  const forged = await ask(origin, "/v1/webhooks/github", {
    body: notice,
    headers: { ...headers, "X-Hub-Signature-256": "sha256=00" },
  });
  assert.equal(forged.status, 401);
  assert.deepEqual(registry.requests, []);
  const signature = `sha256=${createHmac("sha256", "s3cret").update(notice).digest("hex")}`;
  const told = await ask(origin, "/v1/webhooks/github", {
    body: notice,
    headers: { ...headers, "X-Hub-Signature-256": signature },
  });
  assert.deepEqual([told.status, told.json], [200, { pushes: 1 }]);
  const sent = await until(() => sink.received[0]);
  const event = JSON.parse(sent.body) as { id: string; type: string; subject: string; data: { digest: string } };
  assert.deepEqual(
    [event.type, event.subject, event.data.digest],
    ["dray.watch.tag.added", `${registry.host}/team/app:1.1`, digest],
  );
  assert.equal(sent.headers["webhook-id"], event.id);
  const said = await stream.until("tag.added\ndata: ");
  assert.match(
    said,
    new RegExp(`id: ${event.id}\nevent: tag.added\ndata: \\{.*"subject":"${registry.host}/team/app:1.1"`),
  );
  await stream.close();
  assert.ok(registry.requests.length <= 4, registry.requests.join("\n"));

  const late = await hear(origin, "/v1/events?type=tag.added", { "Last-Event-ID": "gone" });
  await late.until(event.id);
  await late.close();
  const listed = await ask(origin, `/v1/events?repository=${registry.host}/team/app`);
  assert.deepEqual(
    listed.json.events.map(({ id }: { id: string }) => id),
    [event.id],
  );
  const metrics = await ask(origin, "/metrics");
  for (const line of [
    'dray_watch_webhooks_total{hook="github",outcome="forged"} 1',
    'dray_watch_webhooks_total{hook="github",outcome="taken"} 1',
    'dray_watch_delivery_attempts_total{sink="ci",outcome="delivered"} 1',
    "dray_watch_repositories 1",
    "dray_watch_events 1",
  ])
    assert.ok(metrics.text.includes(line), line);
  assert.match(metrics.text, /flux_client_fetch_duration_seconds_count\{kind="tags",success="true"\} \d/);
  await close();
  await sink.close();
  await registry.close();
});

test("a sink that is down is told once when it is back, and what it refuses waits for a replay", async () => {
  const registry = await registryToWatch();
  await registry.push("app", "1");
  let status = 400;
  const sink = await receiver(() => ({ status }));
  const { serving, close } = await served(`
repositories: ["${registry.host}/app"]
sinks:
  team: { type: slack, url: "${sink.origin}/services/T0", text: "{{tag}} {{action}}", exclude: ["*/other"] }
`);
  const { origin } = serving;
  const scan = (repository = `${registry.host}/app`) =>
    ask(origin, "/v1/scan", { body: JSON.stringify({ repository }) });
  await scan();
  await registry.push("app", "2");
  const { json } = await scan();
  assert.deepEqual([json.complete, json.events.length, json.events[0].type], [true, 1, "tag.added"]);
  await until(() => sink.received.length === 1);
  const dead = await until(async () => {
    const answer = await ask(origin, "/v1/events?status=dead");
    return answer.json.deliveries.length === 1 && answer.json.deliveries[0];
  });
  assert.deepEqual([dead.sink, dead.event.id, dead.state], ["team", json.events[0].id, "dead"]);
  status = 200;
  assert.deepEqual((await ask(origin, "/v1/replay", { body: JSON.stringify({ sink: "team" }) })).json, { replayed: 1 });
  await until(() => sink.received.length === 2);
  assert.deepEqual(
    sink.received.map(({ body }) => JSON.parse(body)),
    [{ text: "2 added" }, { text: "2 added" }],
  );
  await until(async () => (await ask(origin, "/v1/events?status=delivered")).json.deliveries.length === 1);
  await close();
  await sink.close();
  await registry.close();
});

test("of a tag that is not selected nothing is asked and nothing told, also where somebody names it", async () => {
  const registry = await registryToWatch();
  await registry.push("app", "1.0");
  const { serving, close } = await served(`
repositories: ["${registry.host}/app"]
tags: { exclude: ["/rc/"] }
policies: { one: { repositories: ["**"], policy: { semver: { range: "^1" } } } }
`);
  const { origin } = serving;
  const scan = (tags?: readonly string[]) =>
    ask(origin, "/v1/scan", { body: JSON.stringify({ repository: `${registry.host}/app`, ...(tags && { tags }) }) });
  await scan();
  for (const tag of ["1.1", "1.2-rc1", "2.0"]) await registry.push("app", tag);
  registry.requests.length = 0;
  const { json } = await scan(["1.1", "1.2-rc1", "2.0"]);
  assert.deepEqual(
    json.events.map(({ tag }: { tag: string }) => tag),
    ["1.1"],
  );
  assert.doesNotMatch(registry.requests.join("\n"), /manifests\/(?:1\.2-rc1|2\.0)/);
  await close();
  await registry.close();
});

test("the API asks for its token, webhooks and health apart, and refuses what it does not know", async () => {
  const { serving, close } = await served(
    "http: { addr: '127.0.0.1:0', token: t0ken }\nwebhooks: { hub: { type: dockerhub, secret: w0rd } }",
  );
  const { origin } = serving;
  for (const path of ["/v1/repositories", "/v1/events", "/metrics", "/v1/openapi.json", "/v1/limits"]) {
    assert.equal((await ask(origin, path)).status, 401, path);
    assert.equal((await ask(origin, path, { token: "t0ke" })).status, 401, path);
    assert.equal((await ask(origin, path, { token: "t0ken" })).status, 200, path);
  }
  assert.equal((await ask(origin, "/v1/scan", { body: "{}" })).status, 401);
  for (const path of ["/livez", "/readyz"]) assert.equal((await ask(origin, path)).status, 200);
  const hub = JSON.stringify({ push_data: { tag: "1" }, repository: { repo_name: "a/b" } });
  assert.equal((await ask(origin, "/v1/webhooks/hub", { body: hub })).status, 401);
  assert.equal((await ask(origin, "/v1/webhooks/hub/w0rd", { body: hub })).status, 200);
  const wrong: [string, number, { body?: string; method?: string }?][] = [
    ["/v1/nothing", 404],
    ["/v1/images/nowhere.example/app", 404],
    ["/v1/images/NOT A NAME", 400],
    ["/v1/events?type=tag.eaten", 400],
    ["/v1/events?limit=0", 400],
    ["/v1/events?colour=red", 400],
    ["/v1/repositories", 405, { method: "DELETE" }],
    ["/v1/scan", 400, { body: "{" }],
    ["/v1/scan", 400, { body: '{"repository":7}' }],
    ["/v1/scan", 400, { body: '{"repo":"a"}' }],
    ["/v1/scan", 413, { body: JSON.stringify({ repository: "a".repeat(100_000) }) }],
    ["/v1/updates", 400],
    ["/v1/explain?repository=nowhere.example/app", 404],
    ["/v1/explain?repository=a&policy=%7B", 400],
    ["/v1/renovate/nowhere.example/app", 404],
  ];
  for (const [path, status, asked] of wrong) {
    const answer = await ask(origin, path, { token: "t0ken", ...asked });
    assert.equal(answer.status, status, path);
    assert.equal(typeof answer.json.errors[0].message, "string", path);
  }
  await close();
});

test("answers come by the policy of a repository: what is newer, why, and in Renovate's form", async () => {
  const registry = await registryToWatch();
  for (const tag of ["1.0.0", "1.1.0", "2.0.0", "nightly"]) await registry.push("app", tag);
  const { serving, close } = await served(`
repositories: ["${registry.host}/app"]
policies:
  ours: { repositories: ["${registry.host.replace(/:.*/, "")}*/**"], policy: { semver: { range: ^1 } } }
tags: { exclude: ["nightly"] }
`);
  const { origin } = serving;
  const name = `${registry.host}/app`;
  await ask(origin, "/v1/scan", { body: JSON.stringify({ repository: name }) });
  const updates = await ask(origin, `/v1/updates?image=${name}:1.0.0`);
  assert.deepEqual([updates.status, updates.json.newest?.tag, updates.json.step], [200, "1.1.0", "minor"]);
  const other = await ask(
    origin,
    `/v1/updates?image=${name}:1.0.0&policy=${encodeURIComponent('{"semver":{"range":"*"}}')}`,
  );
  assert.deepEqual([other.json.newest?.tag, other.json.step], ["2.0.0", "major"]);
  assert.equal((await ask(origin, `/v1/updates?image=${name}:1.1.0`)).json.newest, undefined);
  const why = await ask(origin, `/v1/explain?repository=${name}`);
  assert.deepEqual(
    why.json.verdicts.map(({ tag, code }: { tag: string; code: string }) => `${tag} ${code}`).slice(0, 2),
    ["1.1.0 chosen", "1.0.0 older"],
  );
  assert.equal((await ask(origin, `/v1/explain?repository=${name}&tag=2.0.0`)).json.verdicts.length, 1);
  const renovate = await ask(origin, `/v1/renovate/${name}`);
  const release = renovate.json.releases.find(({ version }: { version: string }) => version === "1.1.0");
  assert.match(release.digest, /^sha256:/);
  assert.ok(Date.parse(release.releaseTimestamp) > 0);
  const one = await ask(origin, `/v1/images/${name}:1.1.0`);
  assert.deepEqual([one.status, one.json.tag, one.json.history], [200, "1.1.0", []]);
  const [heads] = [registry.requests.filter((line) => line.includes("/manifests/"))];
  assert.ok(
    heads.every((line) => !line.includes("nightly") && !line.includes("2.0.0")),
    "tags that nobody wants are not looked into",
  );
  const list = await ask(origin, "/v1/repositories");
  assert.deepEqual(
    [list.json.repositories.length, list.json.repositories[0].tags, list.json.repositories[0].wanted],
    [1, 4, 2],
  );
  assert.deepEqual(
    (await ask(origin, "/v1/limits")).json.limits.map(({ registry: host }: { registry: string }) => host),
    [registry.host],
  );
  await close();
  await registry.close();
});

test("a reload takes sinks, hooks, tokens and repositories, tells what waits, and a wrong one changes nothing", async () => {
  const registry = await registryToWatch();
  await registry.push("one", "1");
  await registry.push("two", "1");
  const sink = await receiver();
  let yaml = `repositories: ["${registry.host}/one"]\nhttp: { addr: "127.0.0.1:0" }`;
  const { serving, close } = await served(yaml, { again: () => yaml });
  const { origin } = serving;
  await until(async () => (await ask(origin, "/v1/repositories")).json.repositories[0]?.listed);
  yaml = `
repositories: ["${registry.host}/one", "${registry.host}/two"]
exclude: ["${registry.host.replace(/:.*/, "")}*/one"]
sinks: { hook: { type: webhook, url: "${sink.origin}" } }
schedule: { cron: "* * * * * *", jitter: 1ms }
interval: { most: 1d }
http: { addr: "127.0.0.1:0", token: later }
`;
  assert.deepEqual(await serving.reload("a test"), { restart: ["interval.most"] });
  assert.equal((await ask(origin, "/v1/repositories")).status, 401);
  const token = "later";
  await until(async () => (await ask(origin, "/v1/repositories", { token })).json.repositories.length === 2);
  const refused = await ask(origin, "/v1/scan", {
    token,
    body: JSON.stringify({ repository: `${registry.host}/one` }),
  });
  assert.equal(refused.json.missing[0].code, "SCAN_DISABLED");
  await until(async () => (await ask(origin, `/v1/images/${registry.host}/two`, { token })).status === 200);
  await registry.push("two", "2");
  // The schedule looks each second.
  await until(() => sink.received.length > 0);
  assert.equal(JSON.parse(sink.received[0]?.body ?? "").subject, `${registry.host}/two:2`);
  const before = yaml;
  for (const wrong of [
    "sinks: { a: { type: slack, url: 'https://x', text: '{{nothing}}' } }",
    "schedule: { cron: every day }",
    "policies: { a: { repositories: ['**'], policy: { semver: { range: '>=>' } } } }",
    "sinks: 7",
  ]) {
    yaml = `http: { addr: "127.0.0.1:0" }\n${wrong}`;
    await assert.rejects(serving.reload(), { code: "CONFIG_INVALID" }, wrong);
    assert.equal((await ask(origin, "/v1/repositories")).status, 401, "as before");
  }
  yaml = before;
  await close();
  await sink.close();
  await registry.close();
});
