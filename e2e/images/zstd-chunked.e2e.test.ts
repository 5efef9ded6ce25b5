/** Layers of zstd:chunked, as skopeo writes them, read file by file. */
import assert from "node:assert/strict";
import { linkSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import * as zlib from "node:zlib";
import { seededBytes } from "@dray/testkit";
import { findPeer, succeed } from "@dray/testkit/peers";
import { copy, layoutStore, viewOf } from "dray";
import type { ReadableStore } from "dray/content";
import { appended, edit, emptyImage, type Image, imageFiles, ingestLayer, list } from "dray/image";
import { missing, type Sandbox, workshop } from "../dray.ts";
import { sameFiles } from "./same-files.ts";

const skopeo = findPeer("skopeo");
const hasZstd = "createZstdDecompress" in zlib || undefined;

describe("a layer of zstd:chunked", { skip: missing(["skopeo", skopeo], ["zstd of the runtime", hasZstd]) }, () => {
  let shop: Sandbox;
  let store: ReadableStore & { bytes: number };
  let image: Image;

  before(async () => {
    shop = await workshop();
    const tree = shop.path("tree");
    mkdirSync(join(tree, "usr/share/empty"), { recursive: true });
    writeFileSync(join(tree, "usr/one"), "1");
    writeFileSync(join(tree, "usr/none"), "");
    writeFileSync(join(tree, "usr/large"), seededBytes("zstd-chunked", 600_000));
    writeFileSync(
      join(tree, "usr/zeros"),
      Buffer.concat([Buffer.alloc(300_000), Buffer.from("end"), Buffer.alloc(99_000)]),
    );
    writeFileSync(join(tree, "usr/text"), "text that repeats itself\n".repeat(20_000));
    writeFileSync(join(tree, "usr/setuid"), "#!/bin/sh\n", { mode: 0o4755 });
    linkSync(join(tree, "usr/large"), join(tree, "usr/share/hard"));
    symlinkSync("../usr/one", join(tree, "usr/soft"));
    await succeed(["tar", "-C", tree, "-cf", shop.path("layer.tar"), "usr"]);
    const plain = layoutStore(shop.path("plain"));
    const layer = await ingestLayer(plain, shop.path("layer.tar"));
    const { store: changed, root } = await edit(await emptyImage(), appended([{ layer }]));
    await copy({ store: changed, name: root.digest, location: "" }, { store: plain, name: "1", location: "" });
    const words = ["--insecure-policy", "copy", "--dest-compress", "--dest-compress-format", "zstd:chunked"];
    await succeed([skopeo ?? "", ...words, `oci:${shop.path("plain")}:1`, `oci:${shop.path("chunked")}:1`]);
    const chunked = layoutStore(shop.path("chunked"));
    store = {
      bytes: 0,
      resolve: (name) => chunked.resolve(name),
      async *read(descriptor, options) {
        for await (const chunk of chunked.read(descriptor, options)) {
          store.bytes += chunk.byteLength;
          yield chunk;
        }
      },
    };
    const view = await viewOf(store, await chunked.resolve("1"));
    assert.ok(view.kind === "image");
    image = view;
  });
  after(() => shop.close());

  test("has every file, its bytes and its mode", async () => {
    assert.equal(await sameFiles(image, "/usr", (path) => shop.path("tree", path)), 7);
  });

  test("is not read whole for one of them, or for a list", async () => {
    const [layer] = await image.layers();
    const size = layer?.descriptor.size ?? 0;
    store.bytes = 0;
    assert.equal((await list(image, "/usr")).length, 8);
    const files = await imageFiles(image);
    await files.read("/usr/one");
    assert.ok(size > 500_000 && store.bytes < 20_000, `${store.bytes} of ${size}`);
  });
});
