import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { test } from "node:test";
import { listen, put, sampleImage } from "@dray/testkit";
import { loadWatchSettings, serveWatch } from "@dray/watch";
import { anonymous } from "dray/auth";
import { bytesBody } from "dray/content";
import { commands } from "../../test/commands.ts";

const sink = (status: number) => {
  const targets: string[] = [];
  return listen(async ({ target }) => {
    targets.push(target);
    return { status, headers: [], url: target, body: bytesBody(new TextEncoder().encode("no")) };
  }).then((listener) => ({ listener, targets }));
};

test("watch test-sink sends one event to each sink, or those that are named, and says what each said", async () => {
  const { printed, refused, at } = await commands("watch-test-sink");
  const [good, bad] = [await sink(200), await sink(400)];
  const file = at("watch.yml");
  writeFileSync(
    file,
    `sinks:\n  good: { type: gotify, url: "${good.listener.origin}", token: s3cret }\n  bad: { type: slack, url: "${bad.listener.origin}/services/T" }\n`,
  );
  assert.equal(await printed("watch", "test-sink", file, "good"), "good  it has arrived\n");
  assert.deepEqual([good.targets, bad.targets], [["/message"], []]);
  assert.deepEqual(JSON.parse(await printed("watch", "test-sink", file, "good", "-o", "json")), {
    schemaVersion: 1,
    sinks: [{ sink: "good", delivered: true }],
  });
  await refused(1, /1 of 2 sinks did not take the event/, "watch", "test-sink", file);
  await refused(2, /has no sink phone; there are good, bad/, "watch", "test-sink", file, "phone");
  await good.listener.close();
  await bad.listener.close();
});

test("watch serve says what is wrong with its configuration and starts nothing", async () => {
  const { refused, at } = await commands("watch-serve");
  const file = at("watch.yml");
  writeFileSync(file, "sinks: { a: { type: fax } }\n");
  await refused(2, /there are webhook, slack/, "watch", "serve", file);
  const folder = await refused(2, /is a folder and no configuration; name the file in it/, "watch", "serve", at("."));
  assert.doesNotMatch(folder.stderr, /--data/);
  writeFileSync(file, "sinks: { phone: { type: ntfy, topic: t, title: '{{nope}}' } }\n");
  await refused(2, /sink phone: the template says nope/, "watch", "serve", file, "--db", at("watch.db"));
  writeFileSync(file, "repositories: []\n");
  await refused(2, /watch\.yml has no sinks/, "watch", "test-sink", file);
  await refused(2, /http\.token: is missing/, "watch", "serve", "--listen", ":8085");
});

test("the other commands go on with what a service has selected in its file", async () => {
  const { printed, registry, host, at } = await commands("watch-shared");
  for (const tag of ["1.0", "1.1-rc1", "2.0"])
    put(registry, "team/app", tag, sampleImage({ seed: tag, layers: 1, layerSize: 10 }));
  const [app, db] = [`${host}/team/app`, at("watch.db")];
  const { settings } = loadWatchSettings({
    text: `db: ${db}
repositories: ["${app}"]
tags: { exclude: ["*-rc*"] }
policies: { one: { repositories: ["**"], policy: { semver: { range: "^1" } } } }
http: { addr: "127.0.0.1:0" }
log: { level: error }
`,
  });
  const serving = await serveWatch(settings, {
    version: "1.2.3",
    connect: () => ({ credentials: anonymous, stateDir: false, plainHttp: true }),
  });
  while (!(await printed("watch", "list", "-o", "json", "--db", db)).includes('"looked"'))
    await new Promise((next) => setTimeout(next, 20));
  await serving.stop(AbortSignal.abort());
  const selected = '3 tags, 1 selected (not *-rc*, policy {"semver":{"range":"^1"}}), 1 known';
  for (const word of ["show", "scan", "show"]) {
    const said = await printed("watch", word, "--db", db, app);
    assert.ok(said.includes(word === "show" ? selected : "3 tags (1 selected)  no news"), said);
  }
  assert.equal(registry.log.count({ target: /manifests\/(?:1\.1-rc1|2\.0)/ }), 0);
});
