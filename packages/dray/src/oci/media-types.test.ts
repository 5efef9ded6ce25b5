import assert from "node:assert/strict";
import { test } from "node:test";
import {
  compressionOf,
  isConfigType,
  isForeignLayerType,
  isIndexType,
  isLayerType,
  isManifestLike,
  isManifestType,
  isSchema1Type,
  manifestAccept,
  mediaTypes,
} from "./media-types.ts";

test("layers: which types are, whether they may be passed on, and how they are compressed", () => {
  for (const [type, layer, foreign, compression] of [
    [mediaTypes.ociLayer, true, false, "none"],
    [mediaTypes.ociLayerGzip, true, false, "gzip"],
    [mediaTypes.ociLayerZstd, true, false, "zstd"],
    [mediaTypes.dockerLayer, true, false, "none"],
    [mediaTypes.dockerLayerGzip, true, false, "gzip"],
    [mediaTypes.dockerLayerZstd, true, false, "zstd"],
    [mediaTypes.dockerForeignLayer, true, true, "gzip"],
    ["application/vnd.docker.image.rootfs.foreign.diff.tar", true, true, "none"],
    ["application/vnd.oci.image.layer.nondistributable.v1.tar", true, true, "none"],
    ["application/vnd.oci.image.layer.nondistributable.v1.tar+gzip", true, true, "gzip"],
    ["application/vnd.oci.image.layer.nondistributable.v1.tar+zstd", true, true, "zstd"],
    // Encrypted: a layer, but nobody can say "gzip" and be done.
    [`${mediaTypes.ociLayerGzip}+encrypted`, true, false, undefined],
    [`${mediaTypes.ociLayer}+encrypted`, true, false, undefined],
    [mediaTypes.ociConfig, false, false, undefined],
    ["application/octet-stream", false, false, undefined],
    ["application/gzip", false, false, undefined],
    ["", false, false, undefined],
  ] as const) {
    assert.deepEqual(
      [isLayerType(type), isForeignLayerType(type), compressionOf(type)],
      [layer, foreign, compression],
      type,
    );
  }
});

test("manifests, indexes, schema 1 and configs", () => {
  for (const [type, manifest, index, schema1, like, config] of [
    [mediaTypes.ociManifest, true, false, false, true, false],
    [mediaTypes.dockerManifest, true, false, false, true, false],
    [mediaTypes.ociIndex, false, true, false, true, false],
    [mediaTypes.dockerList, false, true, false, true, false],
    [mediaTypes.dockerSchema1, false, false, true, true, false],
    [mediaTypes.dockerSchema1Signed, false, false, true, true, false],
    // Old registries send schema 1 as this; it says nothing about where a blob of the type belongs.
    ["application/json", false, false, true, false, false],
    [mediaTypes.ociConfig, false, false, false, false, true],
    [mediaTypes.dockerConfig, false, false, false, false, true],
    [mediaTypes.ociEmpty, false, false, false, false, false],
  ] as const)
    assert.deepEqual(
      [isManifestType(type), isIndexType(type), isSchema1Type(type), isManifestLike(type), isConfigType(type)],
      [manifest, index, schema1, like, config],
      type,
    );
});

test("Accept names every kind of manifest once, OCI before Docker, indexes first", () => {
  const types = manifestAccept.split(", ");
  assert.equal(new Set(types).size, types.length);
  assert.ok(types.every(isManifestLike));
  assert.deepEqual(types.slice(0, 2), [mediaTypes.ociIndex, mediaTypes.ociManifest]);
});
