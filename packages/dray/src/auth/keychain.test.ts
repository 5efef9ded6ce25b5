import assert from "node:assert/strict";
import { test } from "node:test";
import { isDrayError } from "../errors.ts";
import { anonymous, chain, staticCredential } from "./keychain.ts";
import type { Keychain } from "./types.ts";

const none: Keychain = async () => undefined;
const ann = { username: "ann", password: "secret", source: "--username" };

test("the first credential of a chain wins", async () => {
  const keychain = chain(none, staticCredential(ann), staticCredential({ ...ann, username: "bob" }));
  assert.equal((await keychain({ registry: "a.test" }))?.username, "ann");
  assert.equal(await chain(none, none)({ registry: "a.test" }), undefined);
});

test("anonymous ends a chain", async () => {
  assert.deepEqual(await chain(anonymous, staticCredential(ann))({ registry: "a.test" }), { source: "anonymous" });
});

test("an error ends a chain", async () => {
  const broken: Keychain = () => Promise.reject(new Error("broken"));
  await assert.rejects(chain(broken, staticCredential(ann))({ registry: "a.test" }), /broken/);
});

test("a chain asks nobody after it was cancelled", async () => {
  const signal = AbortSignal.abort();
  await assert.rejects(chain(staticCredential(ann))({ registry: "a.test" }, { signal }), (error) =>
    isDrayError(error, "ABORTED"),
  );
});

test("a bound credential goes to no other registry", async () => {
  const keychain = staticCredential(ann, "a.test/team");
  assert.equal((await keychain({ registry: "a.test", repository: "team/app" }))?.username, "ann");
  assert.equal(await keychain({ registry: "a.test", repository: "other" }), undefined);
  assert.equal(await keychain({ registry: "b.test", repository: "team/app" }), undefined);
  assert.equal(await staticCredential(ann, "")({ registry: "a.test" }), undefined);
});
