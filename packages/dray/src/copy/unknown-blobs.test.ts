import assert from "node:assert/strict";
import { test } from "node:test";
import { answerWith, type Fault, faults, type MemoryRegistry, memoryRegistry, put, sampleImage } from "@dray/testkit";
import { clientOf } from "../../test/registry-client.ts";
import { memoryStore } from "../content/index.ts";
import { isDrayError } from "../errors.ts";
import type { Digest } from "../oci/index.ts";
import { copy, copyAll } from "./copy.ts";

const image = sampleImage({ layers: 2, layerSize: 100_000 });
const unknown = JSON.stringify({ errors: [{ code: "MANIFEST_BLOB_UNKNOWN", message: "blob unknown" }] });
const refusal = answerWith(404, { "Content-Type": "application/json" }, unknown);

const push = async (rules: readonly Fault[], registry = memoryRegistry()) => {
  const local = memoryRegistry();
  put(local, "a/b", "v1", image);
  const source = clientOf(local.handler).repository("a/b");
  const target = clientOf(faults(registry.handler, rules)).repository("c/d");
  const counts = await copy(
    { store: source, name: "v1", location: "a/b:v1" },
    { store: target, name: "v1", location: "c/d:v1" },
  );
  return { registry, counts };
};

/** Refuses the manifest while a blob of it is not there. */
const unlessWhole = (registry: MemoryRegistry): Fault => ({
  method: "PUT",
  target: "/manifests/",
  effect: async (request, next) =>
    [...image.blobs.keys()].every((digest) => registry.blob("c/d", digest) !== undefined)
      ? next(request)
      : refusal(request, next),
});

test("a registry that does not know yet of blobs that it has just got is asked again", async () => {
  const { registry } = await push([{ method: "PUT", target: "/manifests/", nth: [1, 2], effect: refusal }]);
  assert.equal(registry.manifest("c/d", "v1")?.digest, image.root.digest);
});

test("a blob that only a look-up vouched for is sent once the registry turns out not to have it, and counted as sent", async () => {
  const registry = memoryRegistry();
  // It knows the repository, so that it is asked what is there.
  put(registry, "c/d", "other", sampleImage({ seed: "other" }));
  const missing = unlessWhole(registry);
  const lying: Fault = {
    method: "HEAD",
    target: "/blobs/",
    effect: async (request, next) => {
      const digest = request.target.split("/").at(-1) as string;
      const bytes = [...image.blobs].find(([key]) => key === digest)?.[1];
      return answerWith(200, { "Content-Length": `${bytes?.byteLength}` })({ ...request }, next);
    },
  };
  const { counts } = await push([missing, lying], registry);
  assert.equal(registry.manifest("c/d", "v1")?.digest, image.root.digest);
  assert.deepEqual([counts.copied, counts.skipped], [image.blobs.size + 1, 0]);
});

test("a blob that is said to be mounted is sent once the registry turns out not to have it, and counted as sent", async () => {
  const registry = memoryRegistry();
  put(registry, "a/b", "v1", image);
  const missing = unlessWhole(registry);
  // What is asked for without a source gets a session, as most registries do it.
  const lying: Fault = {
    method: "POST",
    target: /mount=/,
    effect: (request, next) =>
      request.target.includes("from=")
        ? answerWith(201, { Location: "/v2/c/d/blobs/x" })(request, next)
        : next({ ...request, target: request.target.replace(/\?.*/, "") }),
  };
  const client = clientOf(faults(registry.handler, [missing, lying]));
  const counts = await copy(
    { store: client.repository("a/b"), name: "v1", location: "a/b:v1" },
    { store: client.repository("c/d"), name: "v1", location: "c/d:v1" },
  );
  assert.equal(registry.manifest("c/d", "v1")?.digest, image.root.digest);
  assert.deepEqual([counts.copied, counts.mounted, counts.skipped], [image.blobs.size + 1, 0, 0]);
  for (const digest of image.blobs.keys()) assert.ok(registry.blob("c/d", digest));
});

test("manifests that share a blob for which only a look-up vouched are all written when it was sent", async () => {
  const [local, registry] = [memoryRegistry(), memoryRegistry()];
  put(registry, "c/d", "other", sampleImage({ seed: "other" }));
  const names = ["v1", "v2", "v3"];
  const seen = new Set<string>();
  const all = Promise.withResolvers<void>();
  for (const n of names) put(local, "a/b", n, sampleImage({ layers: 2, layerSize: 100_000, annotations: { n } }));
  // All are refused before the first blob is sent.
  const missing: Fault = {
    method: "PUT",
    target: "/manifests/",
    effect: async (request, next) => {
      seen.add(request.target);
      if (seen.size === names.length) all.resolve();
      await all.promise;
      const whole = [...image.blobs.keys()].every((digest) => registry.blob("c/d", digest) !== undefined);
      return whole ? next(request) : refusal(request, next);
    },
  };
  const lying: Fault = {
    method: "HEAD",
    target: "/blobs/",
    effect: (request, next) => {
      const bytes = image.blobs.get(request.target.split("/").at(-1) as Digest);
      return answerWith(200, { "Content-Length": `${bytes?.byteLength}` })(request, next);
    },
  };
  const source = clientOf(local.handler).repository("a/b");
  const target = clientOf(faults(registry.handler, [missing, lying])).repository("c/d");
  const pairs = names.map((name) => ({
    source: { store: source, name, location: `a/b:${name}` },
    target: { store: target, name, location: `c/d:${name}` },
  }));
  const { outcomes, copied, skipped } = await copyAll(pairs);
  assert.deepEqual(
    outcomes.map(({ error }) => error?.message),
    names.map(() => undefined),
  );
  assert.deepEqual([copied, skipped], [image.blobs.size + names.length, 0]);
});

test("one that stays unknown is told of without advice that the answer contradicts", async () => {
  await assert.rejects(push([{ method: "PUT", target: "/manifests/", effect: refusal }]), (error) => {
    assert.ok(isDrayError(error, "NOT_FOUND"));
    assert.match(error.message, /MANIFEST_BLOB_UNKNOWN/);
    assert.doesNotMatch(error.message, /check the name/);
    return true;
  });
});

test("what one source cannot give, another one that has it gives", async () => {
  const [broken, good] = [memoryRegistry(), memoryRegistry()];
  for (const registry of [broken, good]) put(registry, "a/b", "v1", image);
  const [first] = image.blobs.keys();
  const gone: Fault = { method: "GET", target: `${first}`, effect: answerWith(404) };
  const sources = [clientOf(faults(broken.handler, [gone])), clientOf(good.handler)];
  const target = memoryStore();
  const pairs = sources.map((source, n) => ({
    source: { store: source.repository("a/b"), name: "v1", location: `source ${n}` },
    target: { store: target, name: `v${n}`, location: `target ${n}` },
  }));
  const { outcomes } = await copyAll(pairs);
  assert.equal(outcomes[1]?.root?.digest, image.root.digest);
  assert.equal((await target.resolve("v1")).digest, image.root.digest);
});
