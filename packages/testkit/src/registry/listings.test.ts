import assert from "node:assert/strict";
import { test } from "node:test";
import { digestOf } from "dray/oci";
import { exchange } from "../exchange.ts";
import { put, sampleArtifact, sampleImage } from "../images/index.ts";
import { type MemoryRegistry, memoryRegistry } from "./memory-registry.ts";
import type { MemoryRegistryOptions } from "./options.ts";

const withTags = (names: readonly string[], options?: MemoryRegistryOptions): MemoryRegistry => {
  const registry = memoryRegistry(options);
  registry.addTags("a", names);
  return registry;
};

test("pages of tags by n and last", async () => {
  const five = ["e", "c", "a", "b", "d"];
  for (const [options, query, tags, link] of [
    [{}, "", ["a", "b", "c", "d", "e"], undefined],
    [{}, "?n=2", ["a", "b"], "?n=2&last=b"],
    [{}, "?n=2&last=b", ["c", "d"], "?n=2&last=d"],
    [{}, "?n=2&last=d", ["e"], undefined],
    [{}, "?n=5", ["a", "b", "c", "d", "e"], undefined],
    [{}, "?n=0", [], undefined],
    [{}, "?last=bb", ["c", "d", "e"], undefined],
    [{}, "?last=z", [], undefined],
    [{ pageSize: 3 }, "", ["a", "b", "c"], "?n=3&last=c"],
    [{ pageSize: 3 }, "?n=100&last=c", ["d", "e"], undefined],
    [{ largestPage: 3 }, "?n=3", ["a", "b", "c"], "?n=3&last=c"],
  ] as const) {
    const answer = await exchange(withTags(five, options).handler, "GET", `/v2/a/tags/list${query}`);
    assert.deepEqual(answer.json(), { name: "a", tags }, query);
    const expected = link === undefined ? undefined : `</v2/a/tags/list${link}>; rel="next"`;
    assert.equal(answer.header("Link"), expected, query);
  }
  const refused = await exchange(withTags(five, { largestPage: 3 }).handler, "GET", "/v2/a/tags/list?n=4");
  assert.equal(refused.status, 405);
  assert.equal((await exchange(withTags(five).handler, "GET", "/v2/a/tags/list?n=x")).status, 400);
});

test("the catalog pages as the tags do", async () => {
  const registry = memoryRegistry();
  for (const name of ["b", "a/b", "c"]) registry.addTags(name, ["v1"]);
  const answer = await exchange(registry.handler, "GET", "/v2/_catalog?n=2");
  assert.deepEqual(answer.json(), { repositories: ["a/b", "b"] });
  assert.equal(answer.header("Link"), '</v2/_catalog?n=2&last=b>; rel="next"');
});

test("100,000 tags without bodies are listed in 100 pages", async () => {
  const names = Array.from({ length: 100_000 }, (_, i) => `v${i}`);
  const registry = withTags(names);
  const seen: string[] = [];
  let target: string | undefined = "/v2/a/tags/list?n=1000";
  let pages = 0;
  for (; target !== undefined; pages++) {
    const answer = await exchange(registry.handler, "GET", target);
    seen.push(...(answer.json() as { tags: string[] }).tags);
    target = /<(.*)>/.exec(answer.header("Link") ?? "")?.[1];
  }
  assert.equal(pages, 100);
  assert.deepEqual(seen, names.toSorted());
});

test("referrers in pages, filtered, and empty for what nobody refers to", async () => {
  const registry = memoryRegistry({ referrersPageSize: 2 });
  const image = sampleImage();
  put(registry, "a", "v1", image);
  const artifacts = ["x", "y", "x", "x"].map((type, i) =>
    sampleArtifact({
      seed: `${i}`,
      subject: image.root,
      artifactType: `application/${type}`,
      annotations: { n: `${i}` },
    }),
  );
  for (const artifact of artifacts) put(registry, "a", undefined, artifact);
  const list = async (query: string): Promise<{ digests: string[]; link: string | undefined; filters: unknown }> => {
    const answer = await exchange(registry.handler, "GET", `/v2/a/referrers/${image.root.digest}${query}`);
    const { manifests } = answer.json() as { manifests: { digest: string }[] };
    return {
      digests: manifests.map(({ digest }) => digest),
      link: /<[^?]*(\?.*)>/.exec(answer.header("Link") ?? "")?.[1],
      filters: answer.header("OCI-Filters-Applied"),
    };
  };
  // Pages are in the order of digests.
  const of = (wanted: (index: number) => boolean): string[] =>
    artifacts
      .filter((_, i) => wanted(i))
      .map(({ root }) => root.digest as string)
      .sort();
  const digests = of(() => true);
  const first = await list("");
  assert.deepEqual(first.digests, digests.slice(0, 2));
  assert.deepEqual((await list(first.link ?? "")).digests, digests.slice(2));
  const filtered = await list("?artifactType=application%2Fx");
  const some = of((i) => i !== 1);
  assert.deepEqual([filtered.digests, filtered.filters], [some.slice(0, 2), "artifactType"]);
  assert.deepEqual(await list(filtered.link ?? ""), {
    digests: some.slice(2),
    link: undefined,
    filters: "artifactType",
  });
  const nobody = await exchange(registry.handler, "GET", `/v2/never/pushed/referrers/${digestOf(new Uint8Array())}`);
  assert.equal(nobody.status, 200);
  assert.deepEqual((nobody.json() as { manifests: unknown[] }).manifests, []);
});
