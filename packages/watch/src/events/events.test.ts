import assert from "node:assert/strict";
import { test } from "node:test";
import type { Digest } from "dray/oci";
import { append, digestOf, eventFile, happened } from "../../test/events.ts";
import { cloudEventOf, difference, EventLog, prune } from "./index.ts";

const repository = "registry.example/app";
const time = "2026-03-01T12:00:00.000Z";
const tags = (names: string): Map<string, Digest | undefined> =>
  new Map(
    names
      .split(" ")
      .filter(Boolean)
      .map((name) => {
        const [tag = "", digit] = name.split("=");
        return [tag, digit === undefined ? undefined : digestOf(digit)];
      }),
  );

test("the difference of two looks is what was added, moved and removed, with both digests", () => {
  const told = (before: string | undefined, after: string, complete = true): string[] =>
    difference({
      before: before === undefined ? undefined : tags(before),
      after: tags(after),
      complete,
      repository,
      time,
    }).map(({ type, tag, digest, previous }) => [type, tag, previous?.[7] ?? "-", digest?.[7] ?? "-"].join(" "));
  assert.deepEqual(told("a=1 b=2 c=3", "a=1 b=4 d=5"), ["tag.moved b 2 4", "tag.added d - 5", "tag.removed c 3 -"]);
  assert.deepEqual(told(undefined, "a=1 b=2"), [], "the first look is silent");
  assert.deepEqual(told("", "a=1"), ["tag.added a - 1"], "a repository that was empty");
  assert.deepEqual(told("a=1 b=2", "a=1", false), [], "an unfinished list says nothing of what is not on it");
  assert.deepEqual(told("a=1 b", "a b=2"), [], "what is not known has not moved");
  assert.deepEqual(told("", "new"), ["tag.added new - -"]);
});

test("an event has one id however often it is told, and another happening has another", () => {
  const again = happened("app:1.0");
  assert.equal(happened("app:1.0").id, again.id);
  assert.match(again.id, /^[0-9a-f]{32}$/);
  const others = [
    happened("app:1.1"),
    happened("other:1.0"),
    happened("app:1.0", 1),
    happened("app:1.0", 0, "tag.moved"),
  ];
  assert.equal(new Set([again, ...others].map(({ id }) => id)).size, 5);
});

test("the log keeps events in order and each once, and goes on after an id", async () => {
  const file = await eventFile();
  const log = new EventLog(file.statements);
  const [one, two, three] = [
    happened("app:1"),
    happened("other:2", 1, "tag.moved"),
    happened("app:3", 2, "tag.removed"),
  ];
  await append(file, one, two, one);
  await append(file, two, three);
  assert.deepEqual(log.list(), [one, two, three]);
  assert.deepEqual(log.list({ after: one.id }), [two, three]);
  assert.deepEqual(log.list({ after: three.id }), []);
  assert.deepEqual(log.list({ after: "gone" }), [one, two, three], "one that is no longer kept stands for none");
  assert.deepEqual(log.list({ repository, limit: 1 }), [one]);
  assert.deepEqual(log.list({ type: "tag.moved" }), [two]);
  assert.deepEqual([log.last, log.count], [three, 3]);
  await assert.rejects(
    file.write((statements) => {
      new EventLog(statements).append([happened("app:4", 3)]);
      throw new Error("the tag could not be written");
    }),
  );
  assert.equal(log.count, 3, "an event comes with what changed, or not at all");
  file.close();
});

test("what is old goes by age and by number, and a number is never given twice", async () => {
  const file = await eventFile();
  const log = new EventLog(file.statements);
  const events = [0, 1, 2, 3, 4].map((second) => happened("app:1", second));
  await append(file, ...events);
  const at = Date.parse(events[0]?.time ?? "");
  assert.deepEqual(prune(file.statements, at + 2000, { keep: 1000 }), { events: 1, unsent: 0 });
  assert.deepEqual(prune(file.statements, at, { most: 2 }), { events: 2, unsent: 0 });
  assert.deepEqual(log.list(), events.slice(3));
  assert.deepEqual(prune(file.statements, at + 3_600_000_000, {}), { events: 2, unsent: 0 });
  await append(file, happened("app:2", 9));
  assert.equal(file.statements.get("SELECT seq FROM events")?.[0], 6);
  file.close();
});

test("a CloudEvent has the attributes that its specification wants", () => {
  const event = happened("team/app:1.0", 0, "tag.moved");
  assert.deepEqual(cloudEventOf(event, "https://watch.example/"), {
    specversion: "1.0",
    id: event.id,
    source: "https://watch.example/",
    type: "dray.watch.tag.moved",
    subject: "registry.example/team/app:1.0",
    time: "2026-03-01T12:00:00.000Z",
    datacontenttype: "application/json",
    data: { repository: "registry.example/team/app", tag: "1.0", digest: digestOf("a"), previous: digestOf("b") },
  });
});
