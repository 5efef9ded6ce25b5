import assert from "node:assert/strict";
import { test } from "node:test";
import { cachingKeychain } from "./keychain.ts";
import type { Credential } from "./types.ts";

const setup = (credential: () => Credential | undefined) => {
  const asked: { key: string; fresh: boolean | undefined }[] = [];
  let now = 0;
  const found = cachingKeychain(
    async ({ registry, repository }, options) => {
      asked.push({ key: `${registry}/${repository ?? ""}`, fresh: options?.fresh });
      return credential();
    },
    () => now,
  );
  return { found, asked, at: (time: number) => (now = time) };
};

const ann = { source: "a test", username: "ann", password: "secret" };

test("a credential is asked for once for each target, and again when a fresh one is wanted", async () => {
  const { found, asked } = setup(() => ann);
  const target = { registry: "a.test", repository: "team/app" };
  await Promise.all([found(target), found(target), found(target)]);
  assert.equal((await found(target))?.username, "ann");
  assert.equal(asked.length, 1);
  await found(target, { fresh: true });
  await found({ registry: "a.test" });
  assert.deepEqual(asked.slice(1), [
    { key: "a.test/team/app", fresh: true },
    { key: "a.test/", fresh: false },
  ]);
});

test("none is believed for ten seconds", async () => {
  const { found, asked, at } = setup(() => undefined);
  for (const time of [0, 9_999, 10_000]) {
    at(time);
    assert.equal(await found({ registry: "a.test" }), undefined);
  }
  assert.equal(asked.length, 2);
});

test("one that is about to end is replaced, past any cache below", async () => {
  const { found, asked, at } = setup(() => ({ ...ann, expiresAt: new Date(3_600_000) }));
  for (const time of [0, 3_539_999, 3_540_000]) {
    at(time);
    await found({ registry: "a.test" });
  }
  assert.deepEqual(
    asked.map(({ fresh }) => fresh),
    [false, true],
  );
});

test("one that has ended when it is given is not asked for with each request", async () => {
  const { found, asked, at } = setup(() => ({ ...ann, expiresAt: new Date(-60_000) }));
  for (const time of [0, 1, 9_999, 10_000, 10_001]) {
    at(time);
    assert.equal((await found({ registry: "a.test" }))?.username, "ann");
  }
  assert.deepEqual(
    asked.map(({ fresh }) => fresh),
    [false, true],
  );
});

test("a failure is not remembered", async () => {
  let broken = true;
  const found = cachingKeychain(
    async () => (broken ? Promise.reject(new Error("broken")) : ann),
    () => 0,
  );
  await assert.rejects(found({ registry: "a.test" }), /broken/);
  broken = false;
  assert.equal((await found({ registry: "a.test" }))?.username, "ann");
});
