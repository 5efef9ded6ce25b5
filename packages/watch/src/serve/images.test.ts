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
