import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { put, sampleImage, sampleIndex } from "@dray/testkit";
import { type Index, mediaTypes } from "dray/oci";
import { commands } from "../../test/commands.ts";

const multi = sampleIndex({ seed: "index", platforms: ["linux/amd64", "linux/arm64"], attestations: true });
const windows = sampleImage({
  seed: "index/windows",
  platform: { os: "windows", architecture: "amd64", "os.version": "10.0.17763.1" },
});
const [amd64, arm64] = multi.images;

const { registry, host, at, dray, done } = await commands("index");
const app = `${host}/team/app`;
const { log } = registry;

describe("index", () => {
  const indexOf = async (name: string): Promise<Index> => JSON.parse((await done("manifest", name)).stdout) as Index;
  /** Each entry by its platform; attestations by what they are about. */
  const entriesOf = async (name: string): Promise<string[]> =>
    (await indexOf(name)).manifests.map(({ platform, annotations }) => {
      const about = annotations?.["vnd.docker.reference.digest"];
      if (about === undefined) return `${platform?.os}/${platform?.architecture}`;
      return `about ${multi.images.find(({ root }) => root.digest === about)?.platform.architecture}`;
    });

  before(async () => {
    put(registry, "team/app", "multi", multi);
    put(registry, "team/app", "windows", windows);
    put(registry, "other/app", "windows", windows);
  });

  test("list: crane's table, and -o json", async () => {
    const { stdout } = await done("index", "list", `${app}:multi`);
    const [head, first, , attestation] = stdout.split("\n");
    assert.equal(head, `Digest${" ".repeat(65)}MediaType            Platform`);
    assert.equal(first, `${amd64?.root.digest} ${mediaTypes.ociManifest} linux/amd64`);
    assert.match(attestation ?? "", / unknown\/unknown$/);
    const told = JSON.parse((await done("index", "list", "-o", "json", `${app}:multi`)).stdout) as Index & {
      digest: string;
      reference: string;
    };
    assert.equal(told.reference, `${app}:multi`);
    assert.equal(told.digest, multi.root.digest);
    assert.deepEqual(
      told.manifests.map(({ platform }) => platform as unknown),
      ["linux/amd64", "linux/arm64", "unknown/unknown", "unknown/unknown"],
    );
  });

  test("append: images of any repository, with the platforms that they say; an index entry by entry", async () => {
    const made = await done(
      "index",
      "append",
      "-m",
      `${host}/other/app:windows`,
      "-m",
      `${app}:multi`,
      "-t",
      `${host}/new/app:1`,
    );
    const { digest } = registry.manifest("new/app", "1") ?? {};
    assert.equal(made.stdout, `${host}/new/app@${digest}\n`);
    assert.deepEqual(await entriesOf(`${host}/new/app:1`), [
      "windows/amd64",
      "linux/amd64",
      "linux/arm64",
      "about amd64",
      "about arm64",
    ]);
    assert.equal((await indexOf(`${host}/new/app:1`)).manifests[0]?.platform?.["os.version"], "10.0.17763.1");
    await done("validate", "--remote", `${host}/new/app:1`);
    await done("index", "append", "--no-flatten", "--docker-empty-base", "-t", `${app}:one`, "-m", `${app}:multi`);
    const one = await indexOf(`${app}:one`);
    assert.deepEqual(
      [one.mediaType, one.manifests.length, one.manifests[0]?.mediaType],
      [mediaTypes.dockerList, 1, mediaTypes.ociIndex],
    );
    await done("index", "append", "--platform", "linux/arm64", `${app}:multi`, `${app}:multi`, "-t", `${app}:narrow`);
    assert.equal(registry.manifest("team/app", "narrow")?.digest, multi.root.digest);
    await done("cp", `${app}:multi`, `${app}:own`);
    await done("index", "append", `${app}:own`, "-m", `${app}:windows,${app}:windows`);
    assert.deepEqual((await entriesOf(`${app}:own`)).at(-1), "windows/amd64");
    assert.equal((await entriesOf(`${app}:own`)).length, 5);
  });

  test("append writes a layout, and beside an index that is named by its digest", async () => {
    const layout = `oci:${at("layout")}`;
    await done("index", "append", "-m", `${app}:multi`, "-m", `${app}:windows`, "-t", `${layout}:1`);
    await done("validate", `${layout}:1`);
    await done("index", "filter", "--platform", "windows", `${layout}:1`);
    assert.deepEqual(await entriesOf(`${layout}:1`), ["windows/amd64"]);
    const { stdout } = await done("index", "append", `${app}@${multi.root.digest}`, "-m", `${app}:windows`);
    assert.equal((await entriesOf(stdout.trim())).length, 5);
    assert.equal(registry.manifest("team/app", "multi")?.digest, multi.root.digest);
  });

  test("filter and remove, with attestations; the images are not read", async () => {
    const before = log.entries.length;
    await done("index", "filter", "--platform", "linux/arm64", "-t", `${app}:arm`, `${app}:multi`);
    const gets = log.entries.slice(before).filter(({ method }) => method === "GET");
    assert.ok(!gets.some(({ target }) => target.includes("/blobs/")), gets.map(({ target }) => target).join("\n"));
    assert.deepEqual(await entriesOf(`${app}:arm`), ["linux/arm64", "about arm64"]);
    await done("index", "filter", "--platform", "linux", "-t", `${app}:same`, `${app}:multi`);
    assert.equal(registry.manifest("team/app", "same")?.digest, multi.root.digest);
    await done("index", "remove", "--platform", "linux/arm64", "-t", `${app}:less`, `${app}:multi`);
    assert.deepEqual(await entriesOf(`${app}:less`), ["linux/amd64", "about amd64"]);
    await done("index", "rm", "--digest", arm64?.root.digest ?? "", "-t", `${app}:less`, `${app}:multi`);
    assert.deepEqual(await entriesOf(`${app}:less`), ["linux/amd64", "about amd64"]);
  });

  test("annotate: the index, or what it says of entries", async () => {
    await done("index", "annotate", "-a", "a=1", "-a", "b=2", "-t", `${app}:noted`, `${app}:multi`);
    await done("index", "annotate", "--remove-annotation", "a", "-a", "c=3", `${app}:noted`);
    assert.deepEqual((await indexOf(`${app}:noted`)).annotations, { b: "2", c: "3" });
    await done(
      "index",
      "annotate",
      "--platform",
      "linux/arm64",
      "--digest",
      amd64?.root.digest ?? "",
      "-a",
      "x=1",
      `${app}:noted`,
    );
    const { manifests } = await indexOf(`${app}:noted`);
    assert.deepEqual(
      manifests.map(({ annotations }) => annotations?.["x"]),
      ["1", "1", undefined, undefined],
    );
    assert.equal(manifests[1]?.digest, arm64?.root.digest);
  });

  test("--dry-run and -o json", async () => {
    const dry = await done(
      "index",
      "filter",
      "--dry-run",
      "--platform",
      "linux/arm64",
      "-t",
      `${app}:dry`,
      `${app}:multi`,
    );
    assert.match(dry.stdout, new RegExp(`^${app}:multi -> ${app}:dry: sha256:`));
    assert.equal(registry.manifest("team/app", "dry"), undefined);
    const told = await done(
      "index",
      "filter",
      "-o",
      "json",
      "--platform",
      "linux/arm64",
      "-t",
      `${app}:json`,
      `${app}:multi`,
    );
    const { roots } = JSON.parse(told.stdout) as { roots: readonly { digest: string }[] };
    assert.equal(roots[0]?.digest, registry.manifest("team/app", "json")?.digest);
  });

  const refused: readonly [words: readonly string[], exitCode: number, says: RegExp][] = [
    [["append", "-m", "APP:multi"], 2, /say with --tag where the index goes/],
    [["append", "APP:multi"], 2, /say with --manifest what is appended/],
    [["append", "--docker-empty-base", "APP:multi", "-m", "APP:windows"], 2, /that is for where no base is named/],
    [["append", "APP:windows", "-m", "APP:multi"], 1, /is one image, and no index; dray index append makes one/],
    [["append", "APP:multi", "-m", "APP:nope"], 5, /check the name/],
    [["filter", "APP:multi"], 2, /say with --platform what is kept/],
    [
      ["filter", "--platform", "linux/s390x", "APP:multi"],
      5,
      /app:multi: no entry of the index is meant by that; it has linux\/amd64 sha256:/,
    ],
    [["filter", "--platform", "linux", "APP:windows"], 1, /is one image, and no index/],
    [["remove", "APP:multi"], 2, /say with --platform or --digest what is removed/],
    [["remove", "--digest", `sha256:${"0".repeat(64)}`, "APP:multi"], 5, /no entry of the index is meant/],
    [["annotate", "APP:multi"], 2, /say with --annotation what is set/],
    [["annotate", "-a", "a=1", "--remove-annotation", "a", "APP:multi"], 2, /"a" is set and taken away/],
    [["annotate", "-a", "a=1", "--digest", "sha256:1", "APP:multi"], 5, /no entry of the index is meant/],
    [["list", "APP:windows"], 1, /is one image, and no index; dray inspect/],
    [["list", "APP:nope"], 5, /check the name/],
  ];
  for (const [words, exitCode, says] of refused)
    test(`${words.join(" ")} is refused, and nothing is written`, async () => {
      const before = log.count({ method: "PUT" });
      const ended = await dray("index", ...words.map((word) => word.replace("APP", app)));
      assert.equal(ended.exitCode, exitCode, ended.stderr);
      assert.match(ended.stderr, says);
      assert.equal(ended.stdout, "");
      assert.equal(log.count({ method: "PUT" }), before);
    });
});
