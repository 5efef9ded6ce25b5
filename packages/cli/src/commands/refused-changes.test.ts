/** What an image itself keeps from being changed or looked into: told in one line, by the words that were typed, with what to do, and nothing is written. */
import assert from "node:assert/strict";
import { readdir, writeFile } from "node:fs/promises";
import { before, describe, test } from "node:test";
import { put, type SampleImage, sampleArtifact, sampleImage, sampleIndex, tar } from "@dray/testkit";
import { type Descriptor, digestOf, encodeJson, mediaTypes } from "dray/oci";
import { commands } from "../../test/commands.ts";

const { registry, host, home, at, dray, done } = await commands("refused-changes");
const app = `${host}/team/app`;
const image = sampleImage({ seed: "refused", layers: 4 });
const docker = sampleImage({ seed: "refused/docker", layers: 4, docker: true });
const multi = sampleIndex({ seed: "refused/multi", platforms: ["linux/amd64", "linux/arm64"] });
const gone = digestOf(encodeJson("gone"));

const blob = (bytes: Uint8Array, mediaType: string): Descriptor => {
  registry.addBlob("team/app", bytes);
  return { mediaType, digest: digestOf(bytes), size: bytes.byteLength };
};
const config = JSON.parse(new TextDecoder().decode(image.blobs.get(image.config.digest))) as object;
const configured = (more: object): Descriptor => blob(encodeJson({ ...config, ...more }), mediaTypes.ociConfig);

/** An image with something else in its manifest, under a tag. */
const odd = (tag: string, { root, config: named, layers }: SampleImage, more: object): void => {
  const { mediaType } = root;
  const bytes = encodeJson({ schemaVersion: 2, mediaType, config: named, layers, ...more });
  registry.addManifest("team/app", { mediaType, bytes }, tag);
};

before(async () => {
  put(registry, "team/app", "1", image);
  put(registry, "team/app", "docker", docker);
  put(registry, "team/app", "multi", multi);
  put(registry, "team/app", "other", sampleImage({ seed: "refused/other" }));
  put(registry, "team/app", "chart", sampleArtifact({ seed: "refused/chart" }));
  const schema1 = { schemaVersion: 1, name: "a", tag: "b", architecture: "amd64", fsLayers: [], history: [] };
  registry.addManifest("team/app", { mediaType: mediaTypes.dockerSchema1, bytes: encodeJson(schema1) }, "schema1");
  const encrypted = image.layers.map((_, i) =>
    blob(new Uint8Array(3000).fill(i + 1), `${mediaTypes.ociLayerGzip}+encrypted`),
  );
  odd("encrypted", image, { layers: encrypted });
  const foreign = { mediaType: mediaTypes.dockerForeignLayer, urls: ["https://there.example/x"], digest: gone };
  odd("foreign", docker, { layers: docker.layers.map((layer, i) => (i === 0 ? { ...layer, ...foreign } : layer)) });
  const index = { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [multi.root] };
  registry.addManifest("team/app", { mediaType: mediaTypes.ociIndex, bytes: encodeJson(index) }, "nested");
  odd("history", image, { config: configured({ history: 5 }) });
  odd("env", image, { config: configured({ config: { Env: "A=1" } }) });
  odd("few", image, { config: configured({ rootfs: { type: "layers", diff_ids: [] } }) });
  odd("lies", image, { config: configured({ rootfs: { type: "layers", diff_ids: [...image.diffIDs].reverse() } }) });
  odd("missing", image, { layers: image.layers.map((layer, i) => (i === 3 ? { ...layer, digest: gone } : layer)) });
  await writeFile(at("layer.tar"), tar([{ path: "x", kind: "file" }]));
});

/** Commands that read documents alone, that make layers anew, and that look at files; each writes to `OUT`, if anywhere. */
const documents = ["mutate -a a=1 -t OUT IMG", "mutate --media-types oci -t OUT IMG"];
const layers = [
  "append -b IMG -f LAYER -t OUT",
  "mutate --append LAYER -t OUT IMG",
  "rebase --old_base APP:1 --new_base APP:1 -t OUT IMG",
  "squash --drop 1 -t OUT IMG",
];
const contents = [
  "flatten -t OUT IMG",
  "squash --from -2 -t OUT IMG",
  "recompress --compression zstd -t OUT IMG",
  "recompress --estargz -t OUT IMG",
  "recompress --canonical -t OUT IMG",
];
const files = [
  "export IMG FILE",
  "extract IMG FILE",
  "cat IMG:/etc/layer-0.conf",
  "ls IMG:/",
  "cp IMG:/etc FILE",
  "diff IMG APP:1",
];

type Row = readonly [tag: string, commands: readonly string[], exitCode: number, says: RegExp];
const rows: readonly Row[] = [
  [
    "schema1",
    [
      ...documents,
      ...layers,
      ...contents,
      ...files,
      "edit config -t OUT IMG",
      "index append -m IMG -t OUT",
      "index annotate -a a=1 -t OUT IMG",
    ],
    1,
    /schema 1 image, which can be copied but not looked into; push it again with a current tool/,
  ],
  ["encrypted", [...contents, ...files.slice(0, -1)], 1, /layer sha256:\w+ is encrypted; decrypt the image first/],
  [
    "encrypted",
    ["mutate --media-types docker -t OUT IMG"],
    1,
    /have none for ".*\+encrypted"; such a layer stays as it is, or goes/,
  ],
  [
    "foreign",
    [contents[0] ?? "", ...files],
    5,
    /lies elsewhere by licence, at https:\/\/there\.example\/x, and is not here; copy the image again/,
  ],
  ["history", [...layers, ...contents], 1, /history is no list; push the image again/],
  ["env", ["mutate -e A=2 -t OUT IMG"], 1, /"Env" is no list of strings, so it cannot be changed; take it away/],
  ["few", [...layers, ...contents], 1, /has 0 diffIDs, and its manifest 4 layers; push the image again/],
  [
    "lies",
    [contents[0] ?? "", contents[2] ?? "", ...files.slice(0, 2)],
    1,
    /no container runtime takes this image; build it again/,
  ],
  ["missing", [...contents, ...files.slice(0, -1)], 5, /part of it is missing, push it again: .*has no blob/],
  [
    "chart",
    [...layers, ...contents, "mutate -e A=2 -t OUT IMG"],
    1,
    /app:chart is an artifact .*; its annotations can be/,
  ],
  [
    "1",
    ["rebase --old_base APP:other --new_base APP:1 -t OUT IMG"],
    1,
    /app:1 does not stand on \S+app:other: .*with --old_base/,
  ],
  [
    "multi",
    ["rebase --old_base APP:1 --new_base APP:1 -t OUT IMG"],
    1,
    /app:multi \(linux\/amd64\) does not stand on \S+app:1: /,
  ],
  ["1", ["squash --from 9 -t OUT IMG", "squash --drop -9 -t OUT IMG"], 5, /app:1 has no layer -?9; it has 4/],
  ["multi", ["squash --from 9 -t OUT IMG"], 5, /app:multi \(linux\/amd64\) has no layer 9; it has 2/],
  ["1", ["squash --from 3 --to 2 -t OUT IMG"], 2, /--from, --to: layers 3 to 2: the first lies above the last/],
  [
    "1",
    ["flatten --level 30 -t OUT IMG", "append -b IMG -f LAYER --level 30 -t OUT"],
    2,
    /--level 30: gzip has levels from 1 to 9/,
  ],
  ["1", ["recompress --compression zstd --level 30 -t OUT IMG"], 2, /--level 30: zstd has levels from 1 to 19/],
  ["1", ["recompress --canonical --level 30 -t OUT IMG"], 2, /--level 30: zstd has levels from 1 to 19/],
  [
    "1",
    ["squash --compression none --level 3 -t OUT IMG"],
    2,
    /--level: nothing is compressed with --compression none/,
  ],
  [
    "1",
    ["recompress --time yesterday -t OUT IMG", "recompress --time 0 -t OUT IMG"],
    2,
    /--time .*Expected a time such as 2026-/,
  ],
  ["1", ["mutate --created 2026-01-31 -t OUT IMG"], 2, /--created .*Expected a time such as 2026-/],
  [
    "multi",
    files.slice(1, -1),
    2,
    /has several images for linux: linux\/amd64, linux\/arm64\/v8; name one with --platform OS\/ARCH/,
  ],
  ["nested", files.slice(1, -1), 2, /has several images for linux: .*; name one with --platform OS\/ARCH/],
  [
    "multi",
    ["flatten --platform linux/s390x -t OUT IMG"],
    5,
    /has no image for linux\/s390x; it has linux\/amd64, linux\/arm64; take what is there with --platform/,
  ],
];

describe("what an image keeps from being done is told by the words that were typed, and nothing is written", () => {
  let count = 0;
  for (const [tag, lines, exitCode, says] of rows)
    test(`${tag}: ${says.source}`, async () => {
      for (const line of lines) {
        const file = `file-${++count}`;
        const words = line
          .replaceAll("IMG", `${app}:${tag}`)
          .replaceAll("APP", app)
          .replace("OUT", `${app}:out`)
          .replace("LAYER", at("layer.tar"))
          .replace("FILE", at(file));
        const { exitCode: ended, stdout, stderr } = await dray(words.split(" "), { stdin: "{}" });
        assert.equal(ended, exitCode, `${words}: ${stderr}`);
        assert.match(stderr, says, words);
        const errors = stderr.split("\n").filter((one) => one.startsWith("Error: "));
        assert.equal(errors.length, 1, stderr);
        if (exitCode !== 2) assert.ok(errors[0]?.includes(`${app}:${tag}`), `${words}: ${stderr}`);
        assert.equal(stdout, "", words);
        assert.equal(registry.manifest("team/app", "out"), undefined, words);
        assert.deepEqual(
          (await readdir(home)).filter((name) => name.startsWith(file)),
          [],
          words,
        );
      }
    });

  test("each of these is done to an image where nothing is wrong", async () => {
    for (const line of [...documents, ...layers, ...contents, ...files]) {
      const words = line
        .replaceAll("IMG", `${app}:1`)
        .replaceAll("APP", app)
        .replace("OUT", `${host}/team/whole:${++count}`)
        .replace("LAYER", at("layer.tar"))
        .replace("FILE", at(`whole-${count}`));
      await done(words.split(" "));
      if (line.includes("OUT")) await done("validate", `${host}/team/whole:${count}`);
    }
  });

  test("documents of encrypted, foreign and nested images are changed, and layers come upon them", async () => {
    for (const tag of ["encrypted", "foreign", "nested"])
      for (const line of [...documents, ...layers.slice(0, 2)]) {
        const words = line.replaceAll("IMG", `${app}:${tag}`).replace("OUT", `${app}:done-${tag}`);
        await done(words.replace("LAYER", at("layer.tar")).split(" "));
        await done("validate", "--fast", `${app}:done-${tag}`);
      }
    for (const line of contents) {
      await done(line.replaceAll("IMG", `${app}:nested`).replace("OUT", `${app}:done-nested`).split(" "));
      await done("validate", `${app}:done-nested`);
    }
  });
});
