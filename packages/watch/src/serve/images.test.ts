import assert from "node:assert/strict";
import { test } from "node:test";
import { staticCredential } from "dray/auth";
import { ask, registryToWatch, served } from "../../test/serving.ts";

test("configurations of the newest tags are read, in the order of their policy, each once, on the account of whoever asks", async () => {
  const registry = await registryToWatch();
  for (const tag of ["1.0.0", "1.1.0", "1.2.0"]) await registry.push("app", tag);
  for (const tag of ["build-9-a", "build-10-b"]) await registry.push("nightly", tag);
  const { serving, close } = await served(
    `
tags: { details: 2 }
policies:
  builds:
    repositories: ["**/nightly"]
    policy: { filterTags: { pattern: "^build-(?P<n>[0-9]+)-", extract: "$n" }, policy: { numerical: { order: asc } } }
`,
    { keychain: staticCredential({ username: "ann", password: "s3cret", source: "a test" }) },
  );
  const { origin } = serving;
  const read = async (name: string): Promise<string[]> => {
    registry.requests.length = 0;
    const body = JSON.stringify({ repository: `${registry.host}/${name}` });
    const { json } = await ask(origin, "/v1/scan", { body });
    assert.equal(json.complete, true, JSON.stringify(json));
    return registry.requests.filter((line) => line.includes("/blobs/"));
  };
  assert.equal((await read("app")).length, 2);
  assert.equal((await read("nightly")).length, 2);
  assert.deepEqual(await read("app"), [], "what was read is known");
  await registry.push("app", "1.3.0");
  assert.equal((await read("app")).length, 1);
  const { json } = await ask(origin, "/v1/limits");
  assert.deepEqual(
    json.limits.map(({ registry: host, identity }: { registry: string; identity: string }) => [host, identity]),
    [[registry.host, "ann"]],
  );
  await close();
  await registry.close();
});

test("release times come from the ledger, with who says so, and ages and platforms of policies go by what is known", async () => {
  const registry = await registryToWatch();
  const created = (time: string) => ({ config: { created: time } });
  await registry.push("app", "1.0.0", created("2020-05-06T07:08:09Z"));
  await registry.push("app", "1.1.0", created("2021-05-06T07:08:09Z"));
  await registry.push("app", "1.2.0", {
    ...created("2021-06-06T07:08:09Z"),
    platform: { os: "linux", architecture: "arm64" },
  });
  // Built where every date is 1970: what is known is since when it is there.
  await registry.push("app", "1.3.0", created("1970-01-01T00:00:00Z"));
  const { serving, close } = await served(`repositories: ["${registry.host}/app"]\ntags: { include: ["1.*"] }`);
  const name = `${registry.host}/app`;
  const get = async (path: string) => (await ask(serving.origin, path)).json;
  const before = Date.now();
  await ask(serving.origin, "/v1/scan", { body: JSON.stringify({ repository: name }) });

  const old = await get(`/v1/images/${name}:1.0.0`);
  assert.deepEqual(
    [old.released, old.platforms],
    [{ time: "2020-05-06T07:08:09Z", source: "configuration" }, ["linux/amd64"]],
  );
  const reproducible = await get(`/v1/images/${name}:1.3.0`);
  assert.equal(reproducible.released.source, "first-seen");
  assert.ok(Date.parse(reproducible.released.time) >= before - 60_000);
  const { tagsPage } = await get(`/v1/images/${name}`);
  assert.deepEqual(
    tagsPage.map(({ tag, released }: { tag: string; released: { source: string } }) => [tag, released.source]),
    [
      ["1.0.0", "configuration"],
      ["1.1.0", "configuration"],
      ["1.2.0", "configuration"],
      ["1.3.0", "first-seen"],
    ],
  );
  const paged: string[] = [];
  for (let after: string | undefined = ""; after !== undefined; ) {
    const page = await get(`/v1/images/${name}?limit=3&after=${after}`);
    paged.push(page.tagsPage.map(({ tag }: { tag: string }) => tag).join(" "));
    after = page.next;
  }
  assert.deepEqual(paged, ["1.0.0 1.1.0 1.2.0", "1.3.0"]);
  const { releases } = await get(`/v1/renovate/${name}`);
  assert.deepEqual(
    releases.map((each: { version: string; releaseTimestamp: string; releaseSource: string }) => each.releaseTimestamp),
    ["2020-05-06T07:08:09Z", "2021-05-06T07:08:09Z", "2021-06-06T07:08:09Z", reproducible.released.time],
  );
  assert.equal(releases[3].releaseSource, "first-seen");

  const policy = encodeURIComponent('{"minAge":"3d","platform":["linux/amd64"]}');
  const updates = await get(`/v1/updates?image=${name}:1.0.0&policy=${policy}`);
  assert.deepEqual([updates.newest.tag, updates.newest.released.time], ["1.1.0", "2021-05-06T07:08:09Z"]);
  const { verdicts } = await get(`/v1/explain?repository=${name}&policy=${policy}`);
  assert.deepEqual(Object.fromEntries(verdicts.map(({ tag, code }: { tag: string; code: string }) => [tag, code])), {
    "1.3.0": "too-young",
    "1.2.0": "platform",
    "1.1.0": "chosen",
    "1.0.0": "older",
  });
  await close();
  await registry.close();
});
