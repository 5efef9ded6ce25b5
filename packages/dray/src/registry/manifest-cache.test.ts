import assert from "node:assert/strict";
import { test } from "node:test";
import { type Digest, digestOf } from "../oci/index.ts";
import { ManifestCache } from "./manifest-cache.ts";

const mib = 1024 * 1024;
const name = (n: number): Digest => digestOf(new Uint8Array([n]));
const of = (size: number): { mediaType: string; bytes: Uint8Array } => ({
  mediaType: "m",
  bytes: new Uint8Array(size),
});

test("what was used last stays longest, within bounds", () => {
  const cache = new ManifestCache();
  for (let n = 0; n < 4; n++) cache.set(name(n), of(mib));
  assert.ok(cache.get(name(0)));
  cache.set(name(4), of(mib));
  assert.deepEqual(
    [0, 1, 2, 3, 4].map((n) => cache.get(name(n)) !== undefined),
    [true, false, true, true, true],
  );
});

test("what is larger than all of it is not kept, and drives nothing out", () => {
  const cache = new ManifestCache();
  cache.set(name(0), of(10));
  cache.set(name(1), of(5 * mib));
  assert.equal(cache.get(name(1)), undefined);
  assert.ok(cache.get(name(0)));
});

test("replaced, deleted and cleared content leaves its room", () => {
  const cache = new ManifestCache();
  for (let i = 0; i < 20; i++) cache.set(name(0), of(mib));
  cache.set(name(1), of(3 * mib));
  assert.ok(cache.get(name(0)));
  cache.delete(name(0));
  cache.delete(name(0));
  cache.set(name(2), of(mib));
  assert.ok(cache.get(name(1)) && cache.get(name(2)));
  cache.clear();
  assert.equal(cache.get(name(1)), undefined);
});
