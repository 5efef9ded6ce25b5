import assert from "node:assert/strict";
import { hostname } from "node:os";
import { test } from "node:test";
import { type Digest, digestOf } from "dray/oci";
import { EventLog, eventTables } from "../events/index.ts";
import { openFile, type WatchFile } from "../file/index.ts";
import * as state from "./index.ts";

const digest = (text: string): Digest => digestOf(new TextEncoder().encode(text));
const every = { text: "", wants: () => true };
const noon = Date.UTC(2026, 0, 1, 12);
const [minute, hour, day] = [60_000, 3_600_000, 86_400_000];
const intervals = { first: hour, least: 5 * minute, most: 7 * day };

const opened = (): Promise<WatchFile> => openFile(":memory:", { rooms: [state.stateTables, eventTables] });

/** One repository, and what a look at it writes. */
const repository = async (name = "docker.io/library/alpine") => {
  const file = await opened();
  const { id } = await file.write((on) => state.addRepository(on, name, noon));
  const known = (): state.RepositoryState => state.repositoryNamed(file.statements, name) as state.RepositoryState;
  return {
    file,
    id,
    known,
    list: (tags: readonly string[], at: number, { complete = true, selection = every as state.Selection } = {}) =>
      file.write((on) => state.recordList(on, known(), { tags, complete, at }, selection)),
    digests: (looked: readonly state.Looked[], at: number) =>
      file.write((on) => state.recordDigests(on, { id, name }, looked, { at, intervals, chance: () => 0 })),
    told: () =>
      new EventLog(file.statements).list().map(({ type, tag, digest, previous }) => [type, tag, digest, previous]),
    tag: (tag: string) => state.tagNamed(file.statements, id, tag) as state.TagState,
  };
};

test("the first list is silent; afterwards a tag is told of once it is known what it names, and again when it moves or goes", async () => {
  const it = await repository();
  await it.list(["3.21", "latest"], noon);
  await it.digests(
    ["3.21", "latest"].map((tag) => ({ tag, digest: digest("a") })),
    noon,
  );
  assert.deepEqual(it.told(), []);
  await it.list(["3.21", "latest", "3.22"], noon + hour);
  assert.deepEqual(it.told(), [], "what it names is not known yet");
  await it.digests(
    [
      { tag: "3.22", digest: digest("b") },
      { tag: "latest", digest: digest("b") },
    ],
    noon + hour,
  );
  await it.list(["latest", "3.22"], noon + day);
  await it.list(["latest", "3.22", "3.21"], noon + 2 * day);
  await it.digests([{ tag: "3.21", digest: digest("c") }], noon + 2 * day);
  assert.deepEqual(it.told(), [
    ["tag.added", "3.22", digest("b"), undefined],
    ["tag.moved", "latest", digest("b"), digest("a")],
    ["tag.removed", "3.21", undefined, digest("a")],
    ["tag.added", "3.21", digest("c"), undefined],
  ]);
  assert.deepEqual(state.historyOf(it.file.statements, it.id, "3.21"), [
    { digest: digest("a"), since: noon, until: noon + day },
  ]);
  assert.equal(it.tag("3.21").firstSeen, noon, "it was here before");
  assert.equal(it.tag("latest").since, noon + hour);
});

test("of an unfinished list nothing is gone, and until one was whole every look is the first", async () => {
  const it = await repository();
  await it.list(["a"], noon, { complete: false });
  await it.digests([{ tag: "a", digest: digest("a") }], noon);
  await it.list(["b", "a"], noon + 1, { complete: true });
  await it.digests([{ tag: "b", digest: digest("b") }], noon + 1);
  assert.deepEqual(it.told(), []);
  await it.list(["b", "c"], noon + 2, { complete: false });
  await it.digests([{ tag: "c", digest: digest("c") }], noon + 2);
  assert.deepEqual(
    it.told().map(([type, tag]) => [type, tag]),
    [["tag.added", "c"]],
  );
  assert.equal(it.tag("a").gone, undefined);
  await it.list(["b", "c"], noon + hour);
  assert.deepEqual(it.tag("a").gone, noon + hour);
  assert.deepEqual(it.tag("a").lastSeen, noon);
});

test("a tag that goes before anybody knew what it names was never there, and tags in another order are no news", async () => {
  const it = await repository();
  await it.list(["a", "b"], noon);
  assert.equal((await it.list(["b", "a"], noon + 1)).changed, false);
  await it.list(["a", "b", "flash"], noon + 2);
  await it.digests([{ tag: "flash", code: "NOT_FOUND", message: "gone" }], noon + 2);
  await it.list(["a", "b"], noon + 3);
  assert.deepEqual(it.told(), []);
  assert.equal(it.tag("flash").problem, undefined);
});

test("intervals double and halve between 5 minutes and 7 days; a failing tag is asked again after as long as it has failed", async () => {
  const it = await repository();
  await it.list(["a", "bad"], noon);
  let at = noon;
  const seen: number[] = [];
  for (const text of [
    "1",
    "1",
    "1",
    "2",
    "3",
    "4",
    "5",
    "6",
    "7",
    "8",
    "9",
    ...Array.from({ length: 13 }, () => "9"),
  ]) {
    await it.digests([{ tag: "a", digest: digest(text) }], at);
    const { interval = 0, due } = it.tag("a");
    assert.equal(due, Math.floor(at / 1000) * 1000 + interval);
    seen.push(interval / minute);
    at += interval;
  }
  const expected = [
    60, 120, 240, 120, 60, 30, 15, 7.5, 5, 5, 5, 10, 20, 40, 80, 160, 320, 640, 1280, 2560, 5120, 10_080, 10_080,
    10_080,
  ];
  assert.deepEqual(seen, expected);
  for (const [after, wait] of [
    [0, 5],
    [5, 5],
    [20, 20],
    [60 * 24 * 30, 60 * 24 * 7],
  ] as const) {
    await it.digests([{ tag: "bad", code: "REGISTRY", message: "broken" }], noon + after * minute);
    assert.equal(it.tag("bad").due, noon + (after + wait) * minute);
    assert.equal(it.tag("bad").problem?.since, noon);
  }
  assert.deepEqual(state.dueTags(it.file.statements, it.id, noon, 10), []);
});

test("tags that are not selected are listed and never due; another selection looks at more without a word", async () => {
  const it = await repository();
  const stable = { text: "stable", wants: (tag: string) => !tag.includes("rc") };
  await it.list(["1.0", "1.1-rc1"], noon, { selection: stable });
  assert.deepEqual(state.dueTags(it.file.statements, it.id, noon, 10), ["1.0"]);
  await it.digests([{ tag: "1.0", digest: digest("1") }], noon);
  await it.list(["1.0", "1.1-rc1", "1.1-rc2"], noon + 1, { selection: stable });
  await it.list(["1.0", "1.1-rc1", "1.1-rc2"], noon + 2000, { selection: every });
  assert.deepEqual(state.dueTags(it.file.statements, it.id, noon + 2000, 10), ["1.1-rc1", "1.1-rc2"]);
  await it.digests(
    ["1.1-rc1", "1.1-rc2"].map((tag) => ({ tag, digest: digest(tag) })),
    noon + 3000,
  );
  await it.list(["1.0"], noon + 4000, { selection: stable });
  assert.deepEqual(it.told(), [], "what is not selected any more is not told of");
  assert.deepEqual(state.countTags(it.file.statements, it.id), { tags: 1, wanted: 1, known: 1, gone: 2 });
});

test("one looks at a repository at a time; a claim ends with its time, with its process, and where the clock was set", async () => {
  const { file, id } = await repository();
  const claim = (holder: string, now: number) => file.write((on) => state.claim(on, id, holder, now));
  const [mine, theirs] = [state.newHolder(), state.newHolder()];
  assert.equal(await claim(mine, noon), true);
  assert.equal(await claim(theirs, noon), false);
  assert.equal(await claim(mine, noon + minute), true);
  assert.equal(await claim(theirs, noon + 2 * minute), false);
  assert.equal(await claim(theirs, noon + 4 * minute), true);
  assert.equal(await claim(mine, noon - day), true, "it would have lasted for a day");
  await file.write((on) => state.release(on, id, mine));
  assert.equal(await claim(theirs, noon), true);
  await file.write((on) => on.run("UPDATE repositories SET held_by = ?", `${hostname()} 999999999 x`));
  assert.equal(await claim(mine, noon), true, "its process is gone");
});

test("what a digest names is kept once for all repositories; what may come yet is not kept", async () => {
  const file = await opened();
  const info = { id: "docker.io/library/alpine:3.22", digest: digest("a"), createdAt: "2026-01-01T00:00:00Z" };
  await file.write((on) => {
    state.keepEntry(on, digest("a"), { info });
    state.keepEntry(on, digest("b"), { excluded: { reason: "missing-configuration", message: "there is none" } });
    state.keepEntry(on, digest("c"), { excluded: { reason: "unknown-type", message: "odd" } });
  });
  assert.deepEqual(state.entryOf(file.statements, digest("a")), { info });
  assert.equal(state.entryOf(file.statements, digest("b")), undefined);
  assert.equal(state.entryOf(file.statements, digest("c"))?.excluded?.message, "odd");
});

test("a problem keeps the time when it began until it is another one, and a repository can be forgotten", async () => {
  const it = await repository();
  const outcome = (now: number, code?: string) =>
    it.file.write((on) =>
      state.recordOutcome(on, it.id, {
        now,
        missing: code === undefined ? [] : [{ what: "list", code, message: "why" }],
        problem: code === undefined ? undefined : { code, message: "why" },
        notBefore: now + minute,
      }),
    );
  await outcome(noon, "NETWORK");
  await outcome(noon + hour, "NETWORK");
  assert.deepEqual(it.known().problem, { code: "NETWORK", message: "why", since: noon, seen: noon + hour });
  assert.deepEqual(it.known().due, noon + hour + minute);
  await outcome(noon + 2 * hour, "UNAUTHORIZED");
  assert.equal(it.known().problem?.since, noon + 2 * hour);
  await outcome(noon + 3 * hour);
  assert.deepEqual([it.known().problem, it.known().missing], [undefined, []]);
  assert.equal(await it.file.write((on) => state.removeRepository(on, "docker.io/library/alpine")), true);
  assert.deepEqual(state.allRepositories(it.file.statements), []);
});
