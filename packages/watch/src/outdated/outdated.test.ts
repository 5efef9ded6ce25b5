import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { readPolicy } from "@dray/policy";
import {
  faults,
  listen,
  memoryRegistry,
  put,
  rewrite,
  type SampleImage,
  sampleImage,
  sampleIndex,
} from "@dray/testkit";
import { defined } from "dray/internal/defined";
import { type Digest, parseReference } from "dray/oci";
import { connect } from "dray/registry";
import type { RunningImage } from "../running/index.ts";
import { type OutdatedImage, type OutdatedOptions, outdatedImages } from "./index.ts";

const day = 24 * 60 * 60 * 1000;
const now = Date.parse("2026-06-30T00:00:00Z");

describe("what is outdated", async () => {
  const registry = memoryRegistry();
  const asked: string[] = [];
  const server = await listen(async (request) => {
    asked.push(`${request.method} ${request.target}`);
    return registry.handler(request);
  });
  const hub = connect(server.host, { plainHttp: true });
  after(async () => {
    await hub.close();
    await server.close();
  });
  const images = new Map<string, SampleImage>();
  const tag = (repository: string, name: string, seed = name, days = 0): Digest => {
    const created = new Date(now - days * day).toISOString();
    const image = images.get(seed) ?? sampleImage({ seed, layers: 1, config: { created } });
    images.set(seed, image);
    return put(registry, repository, name, image).digest;
  };
  for (const [name, seed = name, days] of [
    ["7", "7.0.14"],
    ["7.0.14"],
    ["7.0.15", "7.0.15", 3],
    ["7.1.0-rc1"],
    ["6.9.9"],
    ["7.0.15-alpine"],
  ] as [string, string?, number?][])
    tag("app", name, seed, days);

  const running = (image: string, more: Partial<RunningImage> = {}): RunningImage => ({
    image,
    reference: parseReference(`${server.host}/${image}`, image.includes("@") ? { defaultTag: "" } : {}),
    digests: [],
    places: ["compose.yml:1:1"],
    ...more,
  });
  const look = async (all: readonly RunningImage[], document?: unknown): Promise<OutdatedImage[]> => {
    const policy = document === undefined ? undefined : await readPolicy(document);
    return Array.fromAsync(
      outdatedImages(
        all,
        defined<OutdatedOptions>({ repositoryOf: ({ repository }) => hub.repository(repository), policy, now }),
      ),
    );
  };
  const said = async (image: RunningImage, document?: unknown): Promise<string> => {
    const [found] = await look([image], document);
    const { state, step, newest, running: own, reason } = found as OutdatedImage;
    const meaning = (each?: { meaning?: string }): string => (each?.meaning === undefined ? "" : ` (${each.meaning})`);
    return [state, step, newest?.tag && `${newest.tag}${meaning(newest)}`, meaning(own).trim(), reason]
      .filter((each) => each !== undefined && each !== "")
      .join(" ");
  };

  test("nothing is said to be current by a list that ended before it should", async () => {
    const headers = { "Content-Type": "application/json", Link: '</v2/app/tags/list?n=1000>; rel="next"' };
    const cut = faults(registry.handler, [{ target: /tags\/list/, effect: rewrite(headers) }]);
    const site = await listen(cut);
    const its = connect(site.host, { plainHttp: true });
    const repositoryOf = (): ReturnType<typeof its.repository> => its.repository("app");
    const [found] = await Array.fromAsync(outdatedImages([running("app:7.0.15")], { repositoryOf, now }));
    assert.equal(found?.state, "unknown");
    assert.match(found?.reason ?? "", /what is not listed may be newer/);
    await Promise.all([its.close(), site.close()]);
  });

  test("newer than what runs, of the same flavour; 7 is 7.0.14", async () => {
    const range = { semver: { range: "^7.0" } };
    assert.equal(await said(running("app:7.0.14"), range), "outdated patch 7.0.15");
    assert.equal(await said(running("app:7"), range), "current");
    assert.equal(await said(running("app:7")), "current");
    assert.equal(await said(running("app:6.9.9")), "outdated major 7.0.15");
    assert.equal(await said(running("app:7.0.15")), "current");
    assert.equal(await said(running("app:7.0.14-alpine")), "outdated patch 7.0.15-alpine");
    const only = (glob: string): object => ({ filterTags: { glob } });
    assert.equal(await said(running("app:7.0.14"), only("7.0.15*")), "outdated patch 7.0.15");
    assert.equal(await said(running("app:7.0.14"), only("6.*")), "current");
    assert.equal(await said(running("app:7.0.14"), { minAge: "5d" }), "current");
    const [found] = await look([running("app:7.0.14")]);
    assert.equal(found?.newest?.created?.toISOString(), "2026-06-27T00:00:00.000Z");
    assert.equal(found?.running.digest, images.get("7.0.14")?.root.digest);
  });

  test("the same digest under another name is no update", async () => {
    tag("same", "1.0.0", "same");
    tag("same", "1.0.1", "same");
    assert.equal(await said(running("same:1.0.0")), "current");
    const digest = tag("same", "1.0.2", "same2");
    assert.equal(await said(running("same:1.0.0")), "outdated patch 1.0.2");
    assert.equal(await said(running("same:1.0.0", { digests: [digest] })), "outdated digest 1.0.0");
  });

  test("latest means the version that has its digest, also where it moved", async () => {
    const old = tag("moving", "1.0.0", "m1");
    tag("moving", "1.1.0", "m2");
    tag("moving", "latest", "m2");
    assert.equal(await said(running("moving:latest")), "current (1.1.0)");
    assert.equal(await said(running("moving:latest", { digests: [old] })), "outdated minor latest (1.1.0) (1.0.0)");
    tag("moving", "edge", "m3");
    assert.equal(await said(running("moving:edge", { digests: [old] })), "outdated digest edge (1.0.0)");
    assert.equal(await said(running(`moving@${old}`, { digests: [old] })), "outdated minor 1.1.0 (1.0.0)");
    assert.match(
      await said(running(`moving@${tag("moving", "x", "m4")}`, { digests: [tag("moving", "x", "m4")] })),
      /^unknown .*by its digest alone/,
    );
    assert.match(await said(running("moving:gone")), /^unknown .*no tag gone/);
  });

  test("an engine may know an index or one image of it", async () => {
    const index = sampleIndex({ seed: "multi", platforms: ["linux/amd64", "linux/arm64"] });
    put(registry, "multi", "2", index);
    const children = [...index.manifests.keys()] as Digest[];
    for (const digest of children) assert.equal(await said(running("multi:2", { digests: [digest] })), "current");
  });

  test("labels say what is wanted, and what is left alone; one image that fails takes nothing from the others", async () => {
    const all = await look([
      running("app:7.0.14", { policy: { filterTags: { pattern: "^7\\." }, semver: { prerelease: true } } }),
      running("app:7.0.14", { policy: { tag: "7.0.14" } }),
      running("app:7.0.14", { isLeftAlone: true }),
      running("nowhere:1"),
      running("app:7.0.14", { policy: { filterTags: { pattern: "(" } } }),
      running("app:7.0.14"),
    ]);
    assert.deepEqual(
      all.map(({ state, newest }) => [state, newest?.tag]),
      [
        ["outdated", "7.1.0-rc1"],
        ["current", undefined],
        ["left-alone", undefined],
        ["unknown", undefined],
        ["unknown", undefined],
        ["outdated", "7.0.15"],
      ],
    );
    assert.match(all[4]?.reason ?? "", /the labels of compose\.yml:1:1: policy: filterTags\.pattern/);
  });

  test("tags of a repository are listed once, each tag is asked about once, and none where the tag is no version", async () => {
    asked.length = 0;
    await look([running("app:7.0.14"), running("app:6.9.9"), running("app:7"), running("app:7.0.14-alpine")]);
    assert.equal(asked.filter((each) => each.includes("/tags/list")).length, 1);
    assert.equal(new Set(asked).size, asked.length, asked.join("\n"));
    asked.length = 0;
    await look([
      running("app:7.0.14", { policy: { tag: "7.0.14" }, digests: [images.get("7.0.14")?.root.digest as Digest] }),
    ]);
    assert.deepEqual(
      asked.filter((each) => each.includes("/tags/list")),
      [],
    );
  });
});
