import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import { seededBytes, temporaryFolder } from "@dray/testkit/files";
import { bytesContent, type Content, collect } from "../content/index.ts";
import { DrayError, isDrayError } from "../errors.ts";
import { digestOf, encodeJson, mediaTypes } from "../oci/index.ts";
import { layoutStore } from "./index.ts";

describe("content whose digest nobody knows yet", () => {
  test("comes to lie in a layout under the digest that it turns out to have", async () => {
    const dir = join(temporaryFolder("ingest"), "layout");
    const layout = layoutStore(dir);
    const bytes = seededBytes("ingest", 300_000);
    const layer = await layout.ingest(bytesContent(bytes), { mediaType: mediaTypes.ociLayer });
    assert.deepEqual(layer, { mediaType: mediaTypes.ociLayer, digest: digestOf(bytes), size: bytes.byteLength });
    const config = await layout.ingest(bytesContent(encodeJson({ os: "linux" })), { mediaType: mediaTypes.ociConfig });
    const manifest = { schemaVersion: 2, mediaType: mediaTypes.ociManifest, config, layers: [layer] };
    const root = await layout.ingest(bytesContent(encodeJson(manifest)), { mediaType: mediaTypes.ociManifest });
    await layout.tag(root, "1.0");
    await layout.close();
    const read = layoutStore(dir);
    assert.equal((await read.resolve("1.0")).digest, root.digest);
    assert.deepEqual(await collect(read.read(layer), bytes.byteLength, "layer"), new Uint8Array(bytes));
    assert.deepEqual((await readdir(dir)).sort(), ["blobs", "index.json", "oci-layout"]);
  });

  test("leaves nothing where it fails on the way", async () => {
    const dir = join(temporaryFolder("ingest"), "layout");
    const layout = layoutStore(dir);
    const failing: Content = {
      async *open() {
        yield seededBytes("half", 10_000);
        throw new DrayError("NETWORK", "cut");
      },
    };
    await assert.rejects(layout.ingest(failing, { mediaType: mediaTypes.ociLayer }), (error) =>
      isDrayError(error, "NETWORK"),
    );
    assert.deepEqual(
      (await readdir(join(dir, ".dray"))).filter((name) => !name.startsWith("layout.lock")),
      [],
    );
    await layout.close({ abort: true });
    assert.equal((await readdir(dir)).includes(".dray"), false);
  });
});
