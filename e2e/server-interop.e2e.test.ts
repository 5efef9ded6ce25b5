/** One folder, one `config.yml`, and the registries that serve it in turn: distribution, Dray, distribution again; then both at once. */
import assert from "node:assert/strict";
import { utimes, writeFile } from "node:fs/promises";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { createRegistry, filesystemDriver } from "@dray/server";
import { sampleArtifact, sampleImage, sampleIndex, seededBytes } from "@dray/testkit";
import { digestOf, encodeJson, mediaTypes } from "dray/oci";
import { locationOf, must, pushBlob, pushManifest, pushSample, withQuery } from "./ask.ts";
import { garbageOf, ownership, peers, writeConfig } from "./distribution.ts";
import { missing, type Sandbox, workshop } from "./dray.ts";
import { freeAddress, type Running, serveAt, serveDrayAt } from "./serving.ts";
import { type Everything, everything } from "./told.ts";

const image = (seed: string): ReturnType<typeof sampleImage> =>
  sampleImage({ seed: `interop/${seed}`, layerSize: 5000 });
const [first, second, third, fourth] = [image("1"), image("2"), image("3"), image("4")];
const index = sampleIndex({ seed: "interop/index", platforms: ["linux/amd64", "linux/arm64", "linux/arm/v7"] });
const nested = sampleIndex({ seed: "interop/nested", platforms: ["linux/s390x"], more: [index] });
const docker = sampleImage({ seed: "interop/docker", docker: true });
const dockerList = sampleIndex({ seed: "interop/list", image: { docker: true } });
const gone = image("gone");
const half = seededBytes("interop/half", 50_000);

/** A tree as years of use leave it: what people push, tags that moved, what was deleted, uploads that never ended. */
const writeAsTheyDo = async (host: string): Promise<{ resumed: string; abandoned: string }> => {
  for (const [at, sample] of [first, second, third, fourth].entries()) {
    await pushSample(host, "library/app", `v${at + 1}`, sample);
    await pushSample(host, "library/app", "latest", sample);
  }
  await pushSample(host, "library/app", "latest", second);
  await pushSample(host, "library/multi", "v1", index);
  await pushSample(host, "library/multi", "nested", nested);
  await pushSample(host, "old/docker", "v1", docker);
  await pushSample(host, "old/docker", "list", dockerList);
  await pushSample(host, "a/b/c/blobs/uploads", "manifests", third);
  await pushSample(host, "gone/all", "v1", gone);
  await pushSample(host, "gone/some", "v1", gone);
  await pushSample(host, "gone/some", "v2", fourth);
  for (const repository of ["gone/all", "gone/some"])
    await must(202, host, "DELETE", `/v2/${repository}/manifests/${gone.root.digest}`);
  const layer = first.layers[0]?.digest;
  await must(201, host, "POST", `/v2/mounted/app/blobs/uploads/?mount=${layer}&from=library/app`);
  await pushSample(host, "mounted/app", "v1", first);
  const begin = async (): Promise<string> => {
    const session = locationOf(await must(202, host, "POST", "/v2/library/app/blobs/uploads/"));
    const at = await must(202, host, "PATCH", session, {
      body: half.subarray(0, 20_000),
      headers: { "Content-Type": "application/octet-stream", "Content-Range": "0-19999" },
    });
    return String(at.headers["docker-upload-uuid"]);
  };
  return { resumed: await begin(), abandoned: await begin() };
};

const artifact = sampleArtifact({ seed: "interop/artifact", artifactType: "application/vnd.example.thing" });
const referrer = sampleArtifact({ seed: "interop/referrer", subject: second.root });
const absent = image("absent");
const sparse = encodeJson({
  schemaVersion: 2,
  mediaType: mediaTypes.ociIndex,
  manifests: [
    { ...first.root, platform: { os: "linux", architecture: "amd64" } },
    { ...absent.root, platform: { os: "linux", architecture: "arm64" } },
  ],
});
/** Of sha512 from the top down. */
const strangeBytes = seededBytes("interop/sha512", 4000);
const strangeLayer = digestOf(strangeBytes, "sha512");
const emptyConfig = encodeJson({});
const strange = encodeJson({
  schemaVersion: 2,
  mediaType: mediaTypes.ociManifest,
  artifactType: "application/vnd.example.thing",
  config: { mediaType: mediaTypes.ociEmpty, digest: digestOf(emptyConfig, "sha512"), size: emptyConfig.byteLength },
  layers: [{ mediaType: "application/octet-stream", digest: strangeLayer, size: strangeBytes.byteLength }],
});
const sha512 = digestOf(strange, "sha512");

/** What came since the other registry was written. */
const writeAsWeDo = async (host: string): Promise<void> => {
  await pushSample(host, "library/app", "sbom", referrer);
  await pushSample(host, "new/artifact", "v1", artifact);
  await pushManifest(host, "library/app", "sparse", { bytes: sparse, mediaType: mediaTypes.ociIndex });
  await pushSample(host, "library/app", "latest", third);
  await pushSample(host, "library/app", "v5", image("5"));
  await must(202, host, "DELETE", "/v2/library/app/manifests/v1");
  await must(202, host, "DELETE", `/v2/library/multi/manifests/${nested.root.digest}`);
  await must(201, host, "POST", `/v2/new/mounted/blobs/uploads/?mount=${fourth.layers[0]?.digest}&from=library/app`);
  await pushSample(host, "new/mounted", "v1", fourth);
  await pushBlob(host, "library/app", seededBytes("interop/unused", 3000));
  for (const bytes of [strangeBytes, emptyConfig]) await pushBlob(host, "new/sha512", bytes, "sha512");
  const { headers } = await must(201, host, "PUT", `/v2/new/sha512/manifests/${sha512}?tag=one&tag=two`, {
    body: strange,
    headers: { "Content-Type": mediaTypes.ociManifest },
  });
  assert.equal(headers["docker-content-digest"], sha512);
};

/** Names of digests of two sets that are not in both, so that a failure says them and nothing else. */
const sameDigests = (ours: readonly string[], theirs: readonly string[]): void => {
  const both = [new Set(ours), new Set(theirs)] as const;
  assert.deepEqual(
    {
      onlyOurs: ours.filter((digest) => !both[1].has(digest)),
      onlyTheirs: theirs.filter((digest) => !both[0].has(digest)),
    },
    { onlyOurs: [], onlyTheirs: [] },
  );
};

for (const { name, program = "" } of peers)
  describe(`a folder of ${name}`, { skip: missing([name, program === "" ? undefined : program]) }, () => {
    let shop: Sandbox;
    let [data, config, address] = ["", "", ""];
    let server: Running;
    let theirTale: Everything;
    let sessions: Awaited<ReturnType<typeof writeAsTheyDo>>;
    let owners: Map<string, string>;
    const theirs = (): Promise<Running> =>
      serveAt(address, [program, "serve", config], { OTEL_TRACES_EXPORTER: "none" });
    const ours = (): Promise<Running> => serveDrayAt(shop, address, config);
    const turn = async (next: () => Promise<Running>): Promise<void> => {
      await server.stop();
      server = await next();
    };

    before(async () => {
      shop = await workshop();
      data = shop.path("data");
      config = shop.path("config.yml");
      address = await freeAddress();
      await writeConfig(config, { data, address });
      server = await theirs();
      sessions = await writeAsTheyDo(server.host);
      theirTale = await everything(server.host);
      await server.stop();
      owners = await ownership(data);
      server = await ours();
    });
    after(async () => {
      await server.stop();
      await shop.close();
    });

    const sameGarbage = async (): Promise<void> => {
      await server.stop();
      const told = await garbageOf(program, config);
      const registry = createRegistry({ driver: await filesystemDriver(data) });
      try {
        registry.start();
        const { marked, eligible } = await registry.marks();
        sameDigests(marked, told.marked);
        sameDigests(eligible, told.eligible);
        assert.ok(told.marked.length > 20 && told.eligible.length > 0, `${told.marked.length} ${told.eligible.length}`);
      } finally {
        await registry.close();
      }
    };

    test("Dray tells the same of it, and its uploads go on", async () => {
      assert.deepEqual(await everything(server.host), theirTale);
      const repository = "/v2/library/app/blobs/uploads";
      const { headers } = await must(204, address, "GET", `${repository}/${sessions.resumed}`);
      assert.equal(headers["range"], "0-19999");
      const { headers: more } = await must(202, address, "PATCH", `${repository}/${sessions.resumed}`, {
        body: half.subarray(20_000),
        headers: { "Content-Type": "application/octet-stream", "Content-Range": `20000-${half.byteLength - 1}` },
      });
      await must(201, address, "PUT", withQuery(String(more["location"]), `digest=${digestOf(half)}`));
      const { body } = await must(200, address, "GET", `/v2/library/app/blobs/${digestOf(half)}`);
      assert.equal(digestOf(body), digestOf(half));
    });

    test("an upload that nobody went on with is removed after its time", async () => {
      const { abandoned } = sessions;
      const folder = `${data}/docker/registry/v2/repositories/library/app/_uploads/${abandoned}`;
      const told = async (): Promise<string> =>
        shop.ok(["serve", "gc", config, "--dry-run", "--grace", "0", "--lease", "0"]);
      assert.doesNotMatch(await told(), new RegExp(`^remove +upload +library/app ${abandoned}`, "m"));
      await must(204, address, "GET", `/v2/library/app/blobs/uploads/${abandoned}`);
      await server.stop();
      const ago = new Date(Date.now() - 8 * 86_400_000);
      await writeFile(`${folder}/startedat`, ago.toISOString().replace(/\.\d+/, ""));
      for (const path of [`${folder}/data`, `${folder}/startedat`, folder]) await utimes(path, ago, ago);
      server = await ours();
      assert.match(await told(), new RegExp(`^remove +upload +library/app ${abandoned}`, "m"));
    });

    test("garbage is the same to both", async () => {
      await sameGarbage();
      server = await ours();
    });

    test("it tells the same of what Dray wrote", async () => {
      await writeAsWeDo(address);
      const now = await everything(address);
      assert.equal(now.content["library/app:sparse"]?.status, 200);
      assert.equal(now.content[`library/app@${absent.root.digest}`]?.status, 404);
      assert.equal(now.content["new/sha512:two"]?.digest, sha512);
      assert.equal(now.content[`new/sha512@${strangeLayer}`]?.status, 200);
      await turn(theirs);
      assert.deepEqual(await everything(address), now);
      await turn(ours);
      assert.deepEqual(await everything(address), now);
    });

    test("garbage is still the same to both, and what Dray leaves of it is what they would", async () => {
      await sameGarbage();
      server = await ours();
      const now = await everything(address);
      assert.match(await shop.ok(["serve", "gc", config, "--grace", "0", "--lease", "0"]), /^removed 0 manifests/);
      await turn(theirs);
      assert.deepEqual(await everything(address), now);
      await server.stop();
      assert.deepEqual((await garbageOf(program, config)).eligible, []);
      server = await ours();
    });

    test("what Dray did not delete has the modes and owners that it had", async () => {
      const now = await ownership(data);
      const kept = [...owners].filter(([path]) => now.has(path));
      assert.ok(kept.length > 100);
      assert.deepEqual(Object.fromEntries(kept.map(([path]) => [path, now.get(path)])), Object.fromEntries(kept));
      // New files are no stricter than theirs, or another user's registry could not read them.
      const modes = (facts: Map<string, string>): string[] => [...new Set(facts.values())].sort();
      assert.deepEqual(modes(now), modes(owners));
    });

    test("what it writes while Dray runs is there soon", async () => {
      const other = await freeAddress();
      await writeConfig(shop.path("other.yml"), { data, address: other });
      const foreign = await serveAt(other, [program, "serve", shop.path("other.yml")], {
        OTEL_TRACES_EXPORTER: "none",
      });
      try {
        // Dray has looked at all of it, and remembers.
        await everything(address);
        await pushSample(other, "library/app", "latest", image("foreign"));
        await pushSample(other, "library/app", "foreign", image("foreign"));
        await pushSample(other, "foreign/new", "v1", index);
        await must(202, other, "DELETE", `/v2/library/app/manifests/${fourth.root.digest}`);
        const their = await everything(other);
        let our = await everything(address);
        for (let i = 0; i < 60 && JSON.stringify(our) !== JSON.stringify(their); i++) {
          await sleep(500);
          our = await everything(address);
        }
        assert.deepEqual(our, their);
        const checked = await shop.dray(["serve", "check", config]);
        assert.equal(checked.code, 0, checked.stdout);
      } finally {
        await foreign.stop();
      }
    });
  });
