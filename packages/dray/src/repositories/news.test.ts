import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  googleListing,
  type MemoryRegistry,
  memoryRegistry,
  put,
  RequestLog,
  sampleImage,
  sampleIndex,
} from "@dray/testkit";
import { clientOf } from "../../test/registry-client.ts";
import { copyAll } from "../copy/index.ts";
import type { Registry } from "../registry/index.ts";
import { newsBetween } from "./news.ts";

interface End {
  readonly memory: MemoryRegistry;
  readonly log: RequestLog;
  readonly client: Registry;
}

/** A registry that lists digests, or one that does not. */
const end = (lists: boolean, name: string): End => {
  const memory = memoryRegistry();
  const log = new RequestLog();
  const listing = lists ? googleListing(memory)(memory.handler) : memory.handler;
  return { memory, log, client: clientOf(log.middleware(listing), {}, name) };
};

const tags = Array.from({ length: 20 }, (_, i) => `v${i}`);
const images = tags.map((seed) => sampleImage({ seed, layers: 1, layerSize: 10 }));

/** How many requests of each kind came. */
const counts = ({ log }: End): Record<string, number> => {
  const found: Record<string, number> = {};
  for (const { method, target } of log.entries) {
    const kind = `${method} ${/\/(tags|manifests|blobs|referrers)\//.exec(target)?.[1] ?? target}`;
    found[kind] = (found[kind] ?? 0) + 1;
  }
  log.clear();
  return found;
};

for (const [source, target] of [
  [true, true],
  [true, false],
  [false, true],
  [false, false],
] as const)
  describe(`from a registry that ${source ? "" : "does not "}tell digests to one that ${target ? "" : "does not "}`, () => {
    const asked = async (from: End, to: End, options = {}): Promise<string[]> => {
      const repository = from.client.repository("a/b");
      const pairs = await newsBetween(
        repository,
        await repository.contents(),
        to.client.repository("mirror/b"),
        options,
      );
      return pairs.map(({ source: { location }, target: { location: there } }) => `${location} ${there}`);
    };

    test("without news: two lists, and a HEAD for each tag where a list does not tell", async () => {
      const [from, to] = [end(source, "from.test"), end(target, "to.test")];
      for (const [i, image] of images.entries())
        for (const [memory, name] of [
          [from.memory, "a/b"],
          [to.memory, "mirror/b"],
        ] as const)
          put(memory, name, tags[i], image);
      // The first HEAD of a registry may be looked at twice.
      await from.client.repository("a/b").lookUp("v0");
      await to.client.repository("mirror/b").lookUp("v0");
      counts(from);
      counts(to);
      assert.deepEqual(await asked(from, to), []);
      assert.deepEqual(counts(from), { "GET tags": 1, ...(source ? {} : { "HEAD manifests": 20 }) });
      assert.deepEqual(counts(to), { "GET tags": 1, ...(target ? {} : { "HEAD manifests": 20 }) });
    });

    test("news are what is not there, and what is there otherwise", async () => {
      const [from, to] = [end(source, "from.test"), end(target, "to.test")];
      const index = sampleIndex({ image: { layers: 1 } });
      put(from.memory, "a/b", "index", index);
      put(from.memory, "a/b", "new", images[0] as (typeof images)[0]);
      put(from.memory, "a/b", "moved", images[1] as (typeof images)[0]);
      put(from.memory, "a/b", "same", images[2] as (typeof images)[0]);
      const untagged = put(from.memory, "a/b", undefined, images[3] as (typeof images)[0]);
      put(to.memory, "mirror/b", "moved", images[4] as (typeof images)[0]);
      put(to.memory, "mirror/b", "same", images[2] as (typeof images)[0]);
      put(to.memory, "mirror/b", "more", images[5] as (typeof images)[0]);
      const location = (name: string): string =>
        `from.test/a/b${name.includes(":") ? "@" : ":"}${name} to.test/mirror/b${name.includes(":") ? "@" : ":"}${name}`;
      const digests = source ? [untagged.digest, ...index.images.map(({ root }) => root.digest)] : [];
      assert.deepEqual(new Set(await asked(from, to)), new Set(["index", "new", "moved", ...digests].map(location)));
      assert.deepEqual(
        new Set(await asked(from, to, { clobber: false })),
        new Set(["index", "new", ...digests].map(location)),
      );
      assert.deepEqual(
        new Set(await asked(from, to, { unchanged: true })),
        new Set(["index", "new", "moved", "same", ...digests].map(location)),
      );
      const repository = from.client.repository("a/b");
      const pairs = await newsBetween(repository, await repository.contents(), to.client.repository("mirror/b"));
      const { outcomes } = await copyAll(pairs);
      assert.deepEqual(
        outcomes.map(({ error }) => error?.message),
        pairs.map(() => undefined),
      );
      assert.deepEqual(await asked(from, to), []);
      assert.deepEqual(to.memory.tags("mirror/b"), ["index", "more", "moved", "new", "same"]);
      assert.equal(to.memory.manifest("mirror/b", untagged.digest) !== undefined, source);
      assert.equal(to.memory.manifest("mirror/b", "moved")?.digest, images[1]?.root.digest);
    });

    test("into a repository that is not there: everything, by one list on each side", async () => {
      const [from, to] = [end(source, "from.test"), end(target, "to.test")];
      for (const [i, image] of images.entries()) put(from.memory, "a/b", tags[i], image);
      assert.equal((await asked(from, to)).length, 20);
      assert.deepEqual(counts(from), { "GET tags": 1 });
      assert.deepEqual(counts(to), { "GET tags": 1 });
    });
  });
