import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { test } from "node:test";
import { listen } from "@dray/testkit";
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
