import assert from "node:assert/strict";
import { test } from "node:test";
import { isDrayError } from "dray/errors";
import { fluxAnnotations, fluxPattern } from "./index.ts";

test("patterns of flux v1", () => {
  const rows: readonly [text: string, policy: object][] = [
    ["semver:~1.2", { semver: { range: "~1.2" } }],
    ["regexp:^v(.*)$", { filterTags: { pattern: "^v(.*)$" }, created: {} }],
    ["regex:a:b", { filterTags: { pattern: "a:b" }, created: {} }],
    ["glob:1.*", { filterTags: { glob: "1.*" }, created: {} }],
    ["1.*", { filterTags: { glob: "1.*" }, created: {} }],
    ["*", { created: {} }],
    ["glob:*", { created: {} }],
    ["glob:latest", { tag: "latest" }],
    ["latest", { tag: "latest" }],
  ];
  for (const [text, policy] of rows) assert.deepEqual(fluxPattern(text), policy, text);
  assert.throws(() => fluxPattern("semvar:^1"), /there is no prefix "semvar:"; did you mean semver:\?/);
  assert.throws(() => fluxPattern("x:1"), /expected glob:, semver:, regexp:, regex:/);
});

test("annotations of flux v1", async () => {
  const read = await fluxAnnotations({
    "fluxcd.io/automated": "true",
    "fluxcd.io/locked": "false",
    "fluxcd.io/tag.app": "semver:^1",
    "flux.weave.works/tag.old": "glob:release-*",
    "filter.fluxcd.io/chart-image": "regexp:^v",
    "fluxcd.io/tag_all": "glob:latest",
    "fluxcd.io/locked_user": "ann",
    "fluxcd.io/sync-checksum": "abc",
    "example.com/automated": "maybe",
  });
  assert.deepEqual([read.automated, read.locked, read.ignore], [true, false, false]);
  assert.deepEqual(
    [...read.containers].map(([name, { document }]) => [name, document]),
    [
      ["app", { semver: { range: "^1" } }],
      ["old", { filterTags: { glob: ["release-*"] }, created: {} }],
      ["chart-image", { filterTags: { pattern: "^v" }, created: {} }],
    ],
  );
  assert.deepEqual(read.all?.document, { tag: "latest" });
  assert.equal((await fluxAnnotations({ "fluxcd.io/ignore": "sync_only" })).ignore, true);
  assert.deepEqual(await fluxAnnotations({}), {
    automated: false,
    locked: false,
    ignore: false,
    containers: new Map(),
  });
});

test("annotations that are wrong name themselves", async () => {
  const rows: readonly [key: string, value: string, says: RegExp][] = [
    [
      "fluxcd.io/automatd",
      "true",
      /annotation fluxcd\.io\/automatd: there is no such word; did you mean fluxcd\.io\/automated\?/,
    ],
    ["fluxcd.io/automated", "yes", /annotation fluxcd\.io\/automated is "yes"; expected "true" or "false"/],
    ["fluxcd.io/tag.app", "semver:abc", /annotation fluxcd\.io\/tag\.app: policy: semver\.range: .*"abc"/],
    ["fluxcd.io/tag.app", "regexp:(", /annotation fluxcd\.io\/tag\.app: policy: filterTags\.pattern: expression "\("/],
    ["filter.fluxcd.io/app", "globe:1", /annotation filter\.fluxcd\.io\/app: .*did you mean glob:\?/],
  ];
  for (const [key, value, says] of rows)
    await assert.rejects(
      fluxAnnotations({ [key]: value }),
      (error) => isDrayError(error, "USAGE") && says.test(error.message),
      key,
    );
});
