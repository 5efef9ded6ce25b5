import assert from "node:assert/strict";
import { test } from "node:test";
import { gunzipSync, zstdDecompressSync } from "node:zlib";
import { digestOf, parseManifest, subjectOf } from "dray/oci";
import { seededBytes } from "../files/index.ts";
import { type Sample, sampleArtifact, sampleImage, sampleIndex, tar } from "./index.ts";
import { storedGzip, storedZstd } from "./stored.ts";

test("a sample has the same digest on every runtime", () => {
  for (const [options, digest] of [
    [{}, "sha256:4b6fc5d01824b4bef5689467b5ebd89ad88540257198ad8b3d2e6a85d46b7d47"],
    [
      { seed: "b", layers: 3, layerSize: 200_000, compression: "zstd" },
      "sha256:d1fad08e2136569420ae58cee1d0d7b67311ac37559538753b5be6b42c92fe46",
    ],
  ] as const)
    assert.equal(sampleImage(options).root.digest, digest);
});

test("layers unpack to tars with the config's diffIDs", () => {
  for (const compression of ["none", "gzip", "zstd"] as const) {
    const image = sampleImage({ compression, layers: 2, layerSize: 200_000 });
    const unpack = { none: (b: Uint8Array) => b, gzip: gunzipSync, zstd: zstdDecompressSync }[compression];
    const config = JSON.parse(new TextDecoder().decode(image.blobs.get(image.config.digest))) as {
      rootfs: { diff_ids: string[] };
    };
    assert.deepEqual(
      config.rootfs.diff_ids,
      image.layers.map(({ digest }) => digestOf(unpack(image.blobs.get(digest) as Uint8Array))),
    );
    assert.deepEqual(config.rootfs.diff_ids, image.diffIDs);
  }
});

test("stored forms hold any number of bytes", () => {
  for (const size of [0, 1, 65_535, 65_536, 131_072, 131_073, 300_000]) {
    const bytes = seededBytes("stored", size);
    assert.ok(gunzipSync(storedGzip(bytes)).equals(bytes), `gzip ${size}`);
    assert.ok(zstdDecompressSync(storedZstd(bytes)).equals(bytes), `zstd ${size}`);
  }
});

test("a tar has a header, the bytes in blocks of 512, and two empty blocks", () => {
  const bytes = tar([{ path: "a/b", kind: "file", bytes: new TextEncoder().encode("hello") }]);
  assert.equal(bytes.byteLength, 512 + 512 + 1024);
  const field = (at: number, length: number): string =>
    new TextDecoder().decode(bytes.subarray(at, at + length)).replace(/\0.*$/s, "");
  assert.deepEqual([field(0, 100), field(124, 12), field(257, 6)], ["a/b", "00000000005", "ustar"]);
  const sum = bytes.subarray(0, 512).reduce((total, byte, i) => total + (i >= 148 && i < 156 ? 32 : byte), 0);
  assert.equal(Number.parseInt(field(148, 8), 8), sum);
});

/** Every descriptor below the root must be there, with its size. */
const whole = (sample: Sample): void => {
  for (const [digest, { bytes, mediaType }] of sample.manifests) {
    assert.equal(digestOf(bytes), digest);
    const parsed = parseManifest(bytes, mediaType);
    assert.notEqual(parsed.kind, "schema1");
    const children =
      parsed.kind === "index"
        ? parsed.index.manifests
        : parsed.kind === "manifest"
          ? [parsed.manifest.config, ...parsed.manifest.layers]
          : [];
    for (const child of children) {
      const held = sample.blobs.get(child.digest) ?? sample.manifests.get(child.digest)?.bytes;
      assert.equal(held?.byteLength, child.size, child.digest);
    }
  }
  assert.ok(sample.manifests.has(sample.root.digest));
};

test("indexes and artifacts are whole graphs", () => {
  const inner = sampleIndex({ seed: "inner", platforms: ["linux/s390x"] });
  const index = sampleIndex({ platforms: ["linux/amd64", "linux/arm/v7"], attestations: true, more: [inner] });
  whole(index);
  const top = parseManifest(index.manifests.get(index.root.digest)?.bytes ?? new Uint8Array());
  assert.ok(top.kind === "index");
  assert.deepEqual(
    top.index.manifests.map(({ platform, annotations }) => [
      platform?.architecture,
      platform?.variant,
      annotations?.["vnd.docker.reference.digest"],
    ]),
    [
      ["amd64", undefined, undefined],
      ["arm", "v7", undefined],
      ["unknown", undefined, index.images[0]?.root.digest],
      ["unknown", undefined, index.images[1]?.root.digest],
      [undefined, undefined, undefined],
    ],
  );
  whole(sampleIndex({ image: { docker: true } }));
  const artifact = sampleArtifact({ subject: index.root });
  whole(artifact);
  const parsed = parseManifest(artifact.manifests.get(artifact.root.digest)?.bytes ?? new Uint8Array());
  assert.equal(subjectOf(parsed)?.digest, index.root.digest);
});
