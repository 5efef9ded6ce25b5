import assert from "node:assert/strict";
import { test } from "node:test";
import { answerWith, fakeClock } from "@dray/testkit";
import type { Handler } from "dray/http";
import { encodeJson, mediaTypes } from "dray/oci";
import { putImage, watched, watchFile } from "../../test/watched.ts";
import { parseRepository } from "../repository.ts";
import { allRepositories, entryOf, fileConfigurations, repositoryNamed, tagsOf } from "../state/index.ts";
import { createRefresh } from "./index.ts";

const app = parseRepository("registry.example/team/app");
const day = 86_400_000;
const details = { text: "", wants: () => true, details: (tags: readonly string[]) => tags };

/** An engine whose clock may be wrong, behind something that may be in the way. */
const engine = async (around?: (handler: Handler) => Handler) => {
  const fake = fakeClock();
  const state = { ahead: 0 };
  const clock = { ...fake, now: () => fake.now() + state.ahead };
  const file = await watchFile();
  const { registry, factory } = watched(around, { clock, maxWait: 0, configurations: fileConfigurations(file) });
  const refresh = createRefresh({
    file,
    clock,
    clientFor: (repository) => factory.clientFor(repository),
    wanted: () => details,
  });
  return { clock, state, file, registry, refresh, advance: (ms: number) => fake.advance(ms) };
};

test("a registry that wants to be left alone for years is asked the next day", async () => {
  let asked = 0;
  let isOff = true;
  const { clock, file, registry, refresh, advance } = await engine((next) => async (request) => {
    asked++;
    return isOff ? answerWith(429, { "Retry-After": "900000000" }, "")(request, next) : next(request);
  });
  putImage(registry, "team/app", "1", "one");
  const { notBefore = 0 } = await refresh.look(app);
  assert.ok(notBefore <= clock.now() + day, `${(notBefore - clock.now()) / day} days`);
  assert.deepEqual(
    allRepositories(file.statements).map(({ due }) => due),
    [notBefore],
  );
  isOff = false;
  asked = 0;
  await advance(day + 1000);
  assert.deepEqual((await refresh.look(app, { now: "list" })).missing, []);
  assert.ok(asked > 0);
});

test("what was planned by a clock that was years ahead is looked at when it is right again", async () => {
  const { clock, state, file, registry, refresh, advance } = await engine();
  putImage(registry, "team/app", "1", "one");
  state.ahead = 3650 * day;
  await refresh.look(app);
  state.ahead = 0;
  const moved = putImage(registry, "team/app", "1", "two");
  registry.log.clear();
  const { events } = await refresh.look(app);
  assert.deepEqual(
    events.map(({ type, digest }) => [type, digest]),
    [["tag.moved", moved]],
  );
  const { due = 0 } = repositoryNamed(file.statements, app.text) ?? {};
  const dues = [due, ...tagsOf(file.statements, 1).map((tag) => tag.due ?? 0)];
  assert.ok(dues.every((each) => each <= clock.now() + 7 * day));

  // The same while it runs: what waits for its turn was planned by the wrong clock.
  const ended = new AbortController();
  state.ahead = 3650 * day;
  const running = refresh.run(ended.signal);
  await advance(1000);
  state.ahead = 0;
  const again = putImage(registry, "team/app", "1", "three");
  for (let minutes = 0; minutes < 90; minutes += 5) await advance(300_000);
  ended.abort();
  await running;
  assert.equal(tagsOf(file.statements, 1)[0]?.digest, again);
});

test("a page in the place of a manifest is told, and not kept for ever", async () => {
  let isDown = true;
  const { file, registry, refresh } = await engine((next) => async (request) => {
    if (!isDown || request.method !== "GET" || !request.target.includes("/manifests/")) return next(request);
    return answerWith(200, { "Content-Type": "text/html" }, "<html>maintenance")(request, next);
  });
  const digest = putImage(registry, "team/app", "1", "one");
  const { missing, complete } = await refresh.look(app);
  assert.deepEqual(
    [missing.map(({ what, code }) => [what, code]), complete],
    [[["details", "MANIFEST_INVALID"]], false],
  );
  assert.equal(entryOf(file.statements, digest), undefined);
  isDown = false;
  assert.deepEqual((await refresh.look(app, { now: "list" })).missing, []);
  assert.equal(entryOf(file.statements, digest)?.info?.labels?.["text"], "one");
});

test("what one manifest says of the size of a configuration is not believed of another's", async () => {
  const { file, registry, refresh } = await engine();
  const digest = putImage(registry, "team/app", "1", "one");
  // As that of the image, and of a size that nobody reads.
  const bytes = encodeJson({
    os: "linux",
    architecture: "amd64",
    created: "2026-01-02T03:04:05Z",
    config: { Labels: { text: "one" } },
  });
  const config = { mediaType: mediaTypes.ociConfig, digest: registry.addBlob("evil/app", bytes), size: 9e12 };
  const manifest = { schemaVersion: 2, mediaType: mediaTypes.ociManifest, config, layers: [] };
  registry.addManifest("evil/app", { mediaType: mediaTypes.ociManifest, bytes: encodeJson(manifest) }, "1");
  await refresh.look(parseRepository("registry.example/evil/app"));
  await refresh.look(app);
  assert.equal(entryOf(file.statements, digest)?.info?.labels?.["text"], "one");
});
