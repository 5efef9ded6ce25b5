import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { gunzipSync } from "node:zlib";
import { seededBytes } from "@dray/testkit/files";
import fc from "fast-check";
import { gzip } from "../compression/index.ts";
import { bytesContent, collect, loadManifest, memoryStore } from "../content/index.ts";
import { copy } from "../copy/index.ts";
import { type Descriptor, digestOf, encodeJson, mediaTypes } from "../oci/index.ts";
import { compressLayer, pushForm } from "./push-form.ts";
import { validate } from "./validate.ts";
import { viewOf } from "./views.ts";

const pieces = async function* (bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.byteLength; at += size) yield bytes.subarray(at, at + size);
};

const all = (chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array> => collect(chunks, 1e9, "test");

describe("gzip", () => {
  test("is undone by gunzip, for any size around its blocks", async () => {
    for (const size of [0, 1, 1024 * 1024 - 1, 1024 * 1024, 1024 * 1024 + 1, 3_500_000]) {
      const bytes = new Uint8Array(size).map((_, i) => (i * i) % 253);
      assert.deepEqual(new Uint8Array(gunzipSync(await all(gzip(pieces(bytes, 70_001))))), bytes, `${size} bytes`);
    }
  });

  test("gives the same bytes however its input is cut", async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 1_500_000 }), fc.integer({ min: 1, max: 9 }), async (size, level) => {
        const bytes = new Uint8Array(1_300_000).map((_, i) => i % 97);
        const whole = await all(gzip(pieces(bytes, bytes.byteLength), { level }));
        assert.equal(digestOf(await all(gzip(pieces(bytes, Math.max(size, 1000)), { level }))), digestOf(whole));
      }),
      { numRuns: 10 },
    );
  });

  test("stores what was compressed already, and compresses what stands between", async () => {
    const random = seededBytes(1, 2_000_000);
    const stored = await all(gzip(pieces(random, 70_001), { level: 2 }));
    // Five bytes to each 64 KiB and the end of each block: deflate, which finds nothing, takes three times as much.
    assert.ok(stored.byteLength < random.byteLength * 1.0002, `${stored.byteLength}`);
    const mixed = Buffer.concat([Buffer.alloc(1_000_000, "hello "), random, Buffer.alloc(700_000, "world "), random]);
    const small = await all(gzip(pieces(mixed, 70_001), { level: 2 }));
    assert.ok(gunzipSync(small).equals(mixed));
    assert.ok(small.byteLength < 2 * random.byteLength * 1.02, `${small.byteLength}`);
  });

  test("lets go of its input when nobody wants more", async () => {
    let ended = false;
    const endless = async function* (): AsyncGenerator<Uint8Array> {
      try {
        for (;;) yield new Uint8Array(500_000);
      } finally {
        ended = true;
      }
    };
    for await (const _ of gzip(endless())) break;
    assert.equal(ended, false, "nothing was asked of the input before the header was taken");
    let taken = 0;
    for await (const _ of gzip(endless())) if (++taken === 3) break;
    assert.equal(ended, true);
  });
});

describe("pushForm", () => {
  test("names gzip layers instead of uncompressed ones, and changes nothing else", async () => {
    const source = memoryStore();
    const add = (bytes: Uint8Array, mediaType: string): Promise<Descriptor> =>
      source.ingest(bytesContent(bytes), { mediaType });
    const tar = new Uint8Array(2_000_000).map((_, i) => i % 100);
    const layer = await add(tar, mediaTypes.dockerLayer);
    const config = await add(
      encodeJson({ os: "linux", rootfs: { type: "layers", diff_ids: [layer.digest, layer.digest] } }),
      mediaTypes.dockerConfig,
    );
    const manifest = {
      schemaVersion: 2,
      mediaType: mediaTypes.dockerManifest,
      config,
      layers: [layer, layer],
      "x-kept": [1],
    };
    const root = await add(encodeJson(manifest), mediaTypes.dockerManifest);

    const target = memoryStore();
    const asked: string[] = [];
    const made = await pushForm(await viewOf(source, root), (found) => {
      asked.push(found.digest);
      return compressLayer(source, target, found);
    });
    assert.deepEqual(asked, [layer.digest, layer.digest]);
    await copy(
      { store: made.store, name: made.root.digest, location: "archive" },
      { store: target, name: "v1", location: "memory" },
    );
    const copied = await target.resolve("v1");
    const { parsed } = await loadManifest(target, copied);
    assert.ok(parsed.kind === "manifest");
    assert.deepEqual(
      parsed.manifest.layers.map(({ mediaType }) => mediaType),
      [mediaTypes.dockerLayerGzip, mediaTypes.dockerLayerGzip],
    );
    assert.ok((parsed.manifest.layers[0] as Descriptor).size < tar.byteLength / 10);
    assert.deepEqual(parsed.manifest["x-kept"], [1]);
    assert.equal(parsed.manifest.config.digest, config.digest);
    assert.deepEqual((await validate(target, copied)).findings, []);
    const again = await pushForm(await viewOf(target, copied), () => assert.fail("nothing is compressed twice"));
    assert.equal(again.root, (await viewOf(target, copied)).descriptor);
  });
});
