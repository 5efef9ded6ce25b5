import assert from "node:assert/strict";
import { test } from "node:test";
import { answerWith, fakeClock, faults } from "@dray/testkit";
import { isDrayError } from "dray/errors";
import { putImage, removeTag, watched, watchFile } from "../../test/watched.ts";
import { EventLog } from "../events/index.ts";
import { timesOf } from "../ledger/index.ts";
import { parseRepository } from "../repository.ts";
import { allRepositories, entryOf, fileConfigurations, repositoryNamed, tagNamed, tagsOf } from "../state/index.ts";
import { createRefresh, type RefreshOptions } from "./index.ts";

const app = parseRepository("registry.example/team/app");
const path = "team/app";

const engine = async (
  around?: Parameters<typeof watched>[0],
  options: Partial<RefreshOptions> & { readonly maxWait?: number } = {},
) => {
  const clock = fakeClock();
  const file = options.file ?? (await watchFile());
  const { registry, factory } = watched(around, {
    clock,
    maxWait: options.maxWait ?? 0,
    configurations: fileConfigurations(file),
  });
  const refresh = createRefresh({ file, clock, clientFor: (repository) => factory.clientFor(repository), ...options });
  return {
    clock,
    file,
    registry,
    refresh,
    asked: () => registry.log.entries.map(({ method, target }) => `${method} ${target.replace(/.*\/team\//, "")}`),
  };
};

test("a first look lists and asks for each tag; a second costs one request; what changed is told", async () => {
  const { refresh, registry, clock, asked, file } = await engine();
  const [one] = [putImage(registry, path, "1.0", "one"), putImage(registry, path, "latest", "one")];
  assert.deepEqual(await refresh.look(app), { repository: app.text, complete: true, missing: [], events: [] });
  assert.deepEqual(asked().toSorted(), [
    "GET app/tags/list?n=1000",
    "HEAD app/manifests/1.0",
    "HEAD app/manifests/latest",
  ]);
  registry.log.clear();
  await refresh.look(app, { now: "list" });
  assert.deepEqual(asked(), ["GET app/tags/list?n=1000"]);
  const two = putImage(registry, path, "1.1", "two");
  putImage(registry, path, "latest", "two");
  await removeTag(registry, path, "1.0");
  registry.log.clear();
  await clock.advance(1000);
  const { events } = await refresh.look(app, { now: "all" });
  assert.deepEqual(
    events
      .map(({ type, tag, digest, previous }) => [type, tag, digest, previous])
      .toSorted((a, b) => String(a[0]).localeCompare(String(b[0]))),
    [
      ["tag.added", "1.1", two, undefined],
      ["tag.moved", "latest", two, one],
      ["tag.removed", "1.0", undefined, one],
    ],
  );
  assert.deepEqual(new EventLog(file.statements).list(), events);
  assert.deepEqual(timesOf(file.statements, app.text, two), { "first-seen": clock.now() });
});

test("tags that nobody wants are never looked into, and manifests are read for the wanted ones alone, once for all repositories", async () => {
  const wanted = {
    text: "stable",
    wants: (tag: string) => /^\d/.test(tag),
    details: (tags: readonly string[]) => tags,
  };
  const { refresh, registry, asked, file } = await engine(undefined, { wanted: () => wanted });
  for (const repository of [path, "team/copy"])
    for (const tag of ["1.0", "nightly"]) putImage(registry, repository, tag, tag);
  await refresh.look(app);
  const { digest } = tagNamed(file.statements, 1, "1.0") ?? {};
  assert.ok(digest);
  assert.equal(entryOf(file.statements, digest)?.info?.createdAt, "2026-01-02T03:04:05Z");
  assert.deepEqual(
    tagsOf(file.statements, 1).map(({ tag, wanted: is }) => [tag, is]),
    [
      ["1.0", true],
      ["nightly", false],
    ],
  );
  registry.log.clear();
  await refresh.look(parseRepository("registry.example/team/copy"));
  assert.deepEqual(asked(), ["GET copy/tags/list?n=1000", "HEAD copy/manifests/1.0"]);
});

test("one bad tag holds up no other, and is told with its code", async () => {
  const { refresh, registry, file } = await engine((next) =>
    faults(next, [{ target: "/manifests/bad", effect: answerWith(500, {}, "no") }]),
  );
  for (const tag of ["a", "bad", "c"]) putImage(registry, path, tag, tag);
  const { complete, missing } = await refresh.look(app);
  assert.equal(complete, false);
  assert.deepEqual(
    missing.map(({ what, count, code }) => [what, count, code]),
    [["tags", 1, "REGISTRY"]],
  );
  assert.ok(tagNamed(file.statements, 1, "a")?.digest && tagNamed(file.statements, 1, "c")?.digest);
  assert.equal(tagNamed(file.statements, 1, "bad")?.problem?.code, "REGISTRY");
});

test("a registry that limits us ends the look; what is left is asked for later, and nothing twice", async () => {
  const limit = { target: /manifests/, nth: 4, effect: answerWith(429, { "Retry-After": "3600" }) };
  const { refresh, registry, clock, file, asked } = await engine((next) => faults(next, [limit]), { tagsAtOnce: 1 });
  for (let n = 0; n < 8; n++) putImage(registry, path, `1.${n}`, String(n));
  const { missing, notBefore } = await refresh.look(app);
  assert.deepEqual(
    missing.map(({ what, count, code }) => [what, count, code]),
    [["tags", 5, "RATE_LIMITED"]],
  );
  assert.equal(notBefore, clock.now() + 3_600_000);
  const known = repositoryNamed(file.statements, app.text);
  assert.equal(known?.due, notBefore);
  assert.equal(known?.problem?.code, "RATE_LIMITED");
  registry.log.clear();
  await clock.advance(3_600_000);
  const after = await clock.run(refresh.look(app));
  assert.equal(after.complete, true);
  assert.equal(new Set(asked()).size, asked().length);
  assert.equal(tagsOf(file.statements, 1).filter(({ digest }) => digest !== undefined).length, 8);
  assert.equal(repositoryNamed(file.statements, app.text)?.problem, undefined);
});

test("answers that are no list, lists that go round, and empty ones take nothing away", async () => {
  let answer: ReturnType<typeof answerWith> | undefined;
  const { refresh, registry, file, clock } = await engine(
    (next) => (request) =>
      answer !== undefined && request.target.includes("/tags/list") ? answer(request, next) : next(request),
  );
  for (const tag of ["a", "b"]) putImage(registry, path, tag, tag);
  await refresh.look(app);
  const loop = { Link: '</v2/team/app/tags/list?n=1000>; rel="next"', "Content-Type": "application/json" };
  for (const [odd, code] of [
    [answerWith(200, { "Content-Type": "text/html" }, "<html>"), "REGISTRY"],
    [answerWith(200, loop, '{"tags":["a"]}'), "PARTIAL"],
    [answerWith(404, {}, '{"errors":[{"code":"NAME_UNKNOWN"}]}'), "NOT_FOUND"],
    [answerWith(401, {}, ""), "UNAUTHORIZED"],
  ] as const) {
    answer = odd;
    await clock.advance(1000);
    const { complete, missing, events } = await refresh.look(app, { now: "list" });
    assert.deepEqual([complete, missing[0]?.code, events], [false, code, []], code);
    assert.equal(tagsOf(file.statements, 1).length, 2);
  }
});

test("a look that is interrupted loses nothing that it found, and another engine goes on at once", async () => {
  const stop = new AbortController();
  let heads = 0;
  const file = await watchFile();
  const { refresh, registry } = await engine(
    (next) => async (request) => {
      if (request.method === "HEAD" && ++heads === 250) stop.abort();
      return next(request);
    },
    { file },
  );
  const digest = putImage(registry, path, "t0", "x");
  registry.addTags(
    path,
    Array.from({ length: 400 }, (_, n) => `t${n}`),
    digest,
  );
  await assert.rejects(refresh.look(app, { signal: stop.signal }), (error) => isDrayError(error, "ABORTED"));
  const known = () => tagsOf(file.statements, 1).filter((tag) => tag.digest !== undefined).length;
  assert.equal(known(), 200);
  const before = heads;
  const other = await engine(undefined, { file });
  other.registry.addTags(
    path,
    Array.from({ length: 400 }, (_, n) => `t${n}`),
    putImage(other.registry, path, "t0", "x"),
  );
  assert.equal((await other.refresh.look(app)).complete, true);
  assert.equal(known(), 400);
  assert.equal(other.registry.log.count({ method: "HEAD" }), 200);
  assert.ok(before >= 250);
});

test("two engines on one file look at a repository one at a time", async () => {
  const gate = Promise.withResolvers<void>();
  const file = await watchFile();
  const one = await engine((next) => async (request) => (await gate.promise, next(request)), { file });
  const two = await engine(undefined, { file });
  putImage(one.registry, path, "a", "a");
  const first = one.refresh.look(app);
  await new Promise(setImmediate);
  assert.equal((await two.refresh.look(app)).held, true);
  assert.equal(two.registry.log.entries.length, 0);
  gate.resolve();
  assert.equal((await first).complete, true);
  assert.equal((await two.refresh.look(app, { now: "list" })).held, undefined);
});

test("run looks at each repository when it is due, and a registry that is down holds up no other", async () => {
  const looked: string[] = [];
  const { refresh, registry, clock, file } = await engine(
    (next) => (request) => (request.origin.includes("down") ? Promise.reject(new Error("no route")) : next(request)),
    { onLook: ({ repository }) => void looked.push(repository) },
  );
  putImage(registry, path, "a", "a");
  await refresh.add(app);
  await refresh.add(parseRepository("down.example/team/app"));
  const stop = new AbortController();
  const run = refresh.run(stop.signal);
  await clock.advance(3 * 3_600_000);
  const of = (name: string): number => looked.filter((each) => each === name).length;
  assert.ok(of(app.text) >= 2 && of(app.text) <= 4, String(of(app.text)));
  const down = allRepositories(file.statements).find(({ name }) => name.startsWith("down"));
  assert.equal(down?.problem?.code, "NETWORK");
  stop.abort();
  await clock.run(run);
});
