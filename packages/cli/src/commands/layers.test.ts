/** flatten, squash and recompress: words of the command for changes of layers, which have tests of their own. */
import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { put, sampleArtifact, sampleImage, sampleIndex } from "@dray/testkit";
import { open } from "dray";
import { type Image, validate, viewOf } from "dray/image";
import { mediaTypes } from "dray/oci";
import { commands } from "../../test/commands.ts";

interface Told {
  readonly event: string;
  readonly digest?: string;
}

const { registry, host, at, dray, done } = await commands("layers");
const app = `${host}/app`;
const { log } = registry;

describe("commands that make other layers of those there are", () => {
  const image = sampleImage({ seed: "layers", layers: 4 });
  const index = sampleIndex({ seed: "layers/index", image: { docker: true } });
  const imageAt = async (location: string, platform = "linux/amd64"): Promise<Image> => {
    const { store, name } = await open(location);
    const root = await store.resolve(name);
    assert.deepEqual((await validate(store, root)).findings, []);
    const view = await viewOf(store, root);
    return view.kind === "index" ? view.image(platform) : view;
  };
  const typesAt = async (location: string, platform?: string): Promise<readonly string[]> =>
    (await (await imageAt(location, platform)).manifest()).layers.map(({ mediaType }) => mediaType);

  before(async () => {
    put(registry, "app", "1", image);
    put(registry, "app", "multi", index);
    put(registry, "app", "sbom", sampleArtifact());
  });

  test("layers that go up while they are made are counted, and how far they are is told", async () => {
    const counted = async (...words: readonly string[]): Promise<readonly [number, number]> => {
      const { copied = 0, bytes = 0 } = JSON.parse((await done(...words, "-o", "json")).stdout) as Record<
        string,
        number
      >;
      return [copied, bytes];
    };
    /** Of the whole image, or but for a configuration that stayed and was mounted. */
    const sizes = async (location: string, stayed = false): Promise<readonly [number, number]> => {
      const made = await imageAt(location);
      const { layers, config } = await made.manifest();
      const all = [made.descriptor, ...(stayed ? [] : [config]), ...layers];
      return [all.length, all.reduce((sum, { size }) => sum + size, 0)];
    };
    for (const [i, words] of [["flatten"], ["squash"], ["recompress", "--compression", "zstd"]].entries()) {
      const to = `${host}/counted/${i}:1`;
      const sent = await counted(...words, "-t", to, `${app}:1`);
      assert.deepEqual(sent, await sizes(to, words[0] === "recompress"), words.join(" "));
    }
    const layout = `oci:${at("counted")}:1`;
    assert.deepEqual(await counted("flatten", "-t", layout, `${app}:1`), await sizes(layout));
    const { layers } = await (await imageAt(`${app}:1`)).manifest();
    for (const words of [
      ["recompress", "--level", "3", "-t", `${app}:told`, `${app}:1`],
      ["flatten", "-t", `${app}:told-flat`, `${app}:1`],
      ["export", `${app}:1`, at("told.tar")],
      ["extract", `${app}:1`, at("told")],
    ]) {
      const { stderr } = await done(...words, "--progress", "json");
      const events = stderr.split("\n").flatMap((line) => (line === "" ? [] : [JSON.parse(line) as Told]));
      for (const { digest } of layers)
        assert.deepEqual(
          events.flatMap((each) => (each.digest === digest ? [each.event] : [])),
          ["start", "done"],
          stderr,
        );
    }
  });

  test("flatten: one layer, where the image lies or elsewhere, of every image of an index or the chosen ones", async () => {
    const { stdout } = await done("flatten", "-t", `${app}:flat`, `${app}:1`);
    assert.match(stdout, new RegExp(`^${app}@sha256:[0-9a-f]{64}\n$`));
    assert.deepEqual(await typesAt(`${app}:flat`), [mediaTypes.ociLayerGzip]);
    await done("copy", `${app}:multi`, `${app}:multi-here`);
    await done("flatten", `${app}:multi-here`);
    for (const platform of ["linux/amd64", "linux/arm64"])
      assert.deepEqual(await typesAt(`${app}:multi-here`, platform), [mediaTypes.dockerLayerGzip]);
    const words = ["flatten", "--platform", "linux/arm64", "--compression", "zstd", "-t", `${app}:arm`];
    const [, ...remedy] = / dray (mutate \S+ \S+ \S+) /.exec((await done(...words, `${app}:multi`)).stderr) ?? [];
    await done(...(remedy[0] ?? "").split(" "), "-t", `${app}:arm-oci`);
    assert.equal((await imageAt(`${app}:arm-oci`, "linux/arm64")).descriptor.mediaType, mediaTypes.ociManifest);
    const quiet = await done("recompress", "--compression", "zstd", "-t", `${app}:no-docker`, `${app}:1`);
    assert.ok(!quiet.stderr.includes("podman"), quiet.stderr);
    assert.deepEqual(await typesAt(`${app}:arm`, "linux/arm64"), [mediaTypes.ociLayerZstd]);
    assert.equal((await typesAt(`${app}:arm`, "linux/amd64")).length, 2);
    const [there, file] = [`oci:${at("layout")}:flat`, at("flat.tar")];
    await done("flatten", "-t", there, `${app}:1`);
    await done("flatten", "-o", file, `${app}:1`);
    const diffIDs = await Promise.all(
      [`${app}:flat`, there, `docker-archive:${file}`].map(async (where) =>
        (await (await imageAt(where)).layers()).map(({ diffID }) => diffID),
      ),
    );
    assert.equal(new Set(diffIDs.flat()).size, 1);
  });

  test("squash: some of the layers; --drop: without some", async () => {
    await done("squash", "--from", "-3", "--to", "3", "-t", `${app}:squashed`, `${app}:1`);
    const squashed = await (await imageAt(`${app}:squashed`)).layers();
    assert.deepEqual(
      [squashed.length, squashed[0]?.diffID, squashed[2]?.diffID],
      [3, image.diffIDs[0], image.diffIDs[3]],
    );
    await done("squash", "--drop", `-1,${image.layers[0]?.digest}`, "-t", `${app}:dropped`, `${app}:1`);
    const dropped = await (await imageAt(`${app}:dropped`)).layers();
    assert.deepEqual(
      dropped.map(({ diffID }) => diffID),
      image.diffIDs.slice(1, 3),
    );
  });

  test("recompress: another compression, the same content; one time; --dry-run sends nothing", async () => {
    const from = log.select({}).length;
    const words = ["recompress", "--compression", "zstd", "-t", `${app}:zstd`, `${app}:1`];
    const said = await done(...words, "--dry-run");
    assert.deepEqual(
      log
        .select({})
        .slice(from)
        .filter(({ method }) => method !== "GET" && method !== "HEAD"),
      [],
    );
    const { stdout } = await done(...words);
    assert.ok(said.stdout.trim().endsWith(stdout.trim().split("@")[1] ?? "?"));
    const zstd = await imageAt(`${app}:zstd`);
    assert.deepEqual(
      (await zstd.layers()).map(({ diffID }) => diffID),
      image.diffIDs,
    );
    assert.equal((await zstd.manifest()).config.digest, image.config.digest);
    await done("recompress", "--estargz", "-t", `${app}:estargz`, `${app}:1`);
    assert.ok(
      (await (await imageAt(`${app}:estargz`)).manifest()).layers.every(
        ({ annotations = {} }) => "containerd.io/snapshot/stargz/toc.digest" in annotations,
      ),
    );
    await done("recompress", "--canonical", "--time", "2026-01-01T00:00:00Z", "-t", `${app}:timed`, `${app}:1`);
    const { created, history = [] } = await (await imageAt(`${app}:timed`)).config();
    assert.deepEqual(
      [created, new Set(history.map((entry) => entry.created))],
      ["2026-01-01T00:00:00Z", new Set([created])],
    );
    const same = await done("recompress", "-t", `${app}:same`, `${app}:1`, "-o", "json");
    assert.ok(same.stdout.includes(image.root.digest));
  });

  const refusals: readonly (readonly [exitCode: number, says: RegExp, words: string])[] = [
    [2, /missing required argument|argument.*image/, "flatten"],
    [1, /is an artifact/, "flatten -t APP:x APP:sbom"],
    [5, /has no manifest nope/, "flatten -t APP:x APP:nope"],
    [2, /Expected 1 for the lowest layer/, "squash --from 0 -t APP:x APP:1"],
    [5, /has no layer 9; it has 4/, "squash --from 9 -t APP:x APP:1"],
    [2, /the first lies above the last/, "squash --from 3 --to 2 -t APP:x APP:1"],
    [2, /--drop: nothing is squashed/, "squash --drop 1 --from 2 -t APP:x APP:1"],
    [5, /has no layer sha256:1/, "squash --drop sha256:1 -t APP:x APP:1"],
    [2, /--level 20: gzip has levels from 1 to 9/, "recompress --level 20 -t APP:x APP:1"],
    [2, /--estargz: that is gzip/, "recompress --estargz --compression zstd -t APP:x APP:1"],
    [
      2,
      /--time.*'tomorrow' is invalid. Expected a time such as 2026-01-31T12:00:00Z/,
      "recompress --time tomorrow -t APP:x APP:1",
    ],
  ];
  for (const [exitCode, says, words] of refusals)
    test(`refused: ${words}`, async () => {
      const {
        exitCode: ended,
        stderr,
        stdout,
      } = await dray(...words.split(" ").map((word) => word.replace("APP", app)));
      assert.match(stderr, says);
      assert.equal(ended, exitCode);
      assert.equal(stdout, "");
      assert.equal(registry.manifest("app", "x"), undefined);
    });
});
