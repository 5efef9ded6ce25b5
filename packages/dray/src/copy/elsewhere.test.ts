import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { memoryRegistry, put, sampleImage, seededBytes } from "@dray/testkit";
import { against } from "../../test/registry-client.ts";
import { bytesContent } from "../content/index.ts";
import { configured, edit, viewOf } from "../image/index.ts";
import { mediaTypes } from "../oci/index.ts";
import { copy } from "./copy.ts";

describe("content that lies in another store than what it is laid over", () => {
  test("is not moved where that is the target, and mounted where that is on the target's registry", async () => {
    const registry = memoryRegistry();
    put(registry, "app", "1", sampleImage({ seed: "elsewhere/app" }));
    const other = sampleImage({ seed: "elsewhere/other", layerSize: 2_000_000 });
    put(registry, "other", "1", other);
    const { client, log } = against(registry);
    const [app, from, target] = [client.repository("app"), client.repository("other"), client.repository("new")];
    const bytes = seededBytes("elsewhere/layer", 1000);
    const ingested = await target.ingest(bytesContent(bytes), { mediaType: mediaTypes.ociLayerGzip, kind: "blob" });
    const mounted = other.layers[0] as (typeof other.layers)[number];
    const view = await viewOf(app, await app.resolve("1"));
    const { store, root } = await edit(view, {
      image: async (image) => ({
        layers: [mounted, ...(await image.manifest()).layers, ingested],
        elsewhere: new Map([
          [mounted.digest, from],
          [ingested.digest, target],
        ]),
      }),
    });
    const before = log.select({ target: "/v2/new/blobs/" }).length;
    await copy({ store, name: root.digest, location: "app:1" }, { store: target, name: "1", location: "new:1" });
    const asked = log.select({ target: "/v2/new/blobs/" }).slice(before);
    assert.equal(asked.filter(({ target: path }) => path.includes(ingested.digest)).length, 0);
    assert.equal(asked.filter(({ target: path }) => path.includes(`mount=${mounted.digest}&from=other`)).length, 1);
    assert.equal(registry.blob("new", mounted.digest)?.size, mounted.size);
    const seen: number[] = [];
    for (const layer of [mounted, ingested]) for await (const chunk of store.read(layer)) seen.push(chunk.byteLength);
    assert.ok(seen.length >= 2);
  });

  test("what is new is moved, though all else lies in the target already: a configuration that changed", async () => {
    const registry = memoryRegistry();
    put(registry, "app", "1", sampleImage({ seed: "elsewhere/config", layers: 12 }));
    const { client, log } = against(registry);
    const app = client.repository("app");
    const { store, root } = await edit(await viewOf(app, await app.resolve("1")), configured({ user: "1000" }));
    const before = log.select({ target: "/v2/app/" }).length;
    await copy({ store, name: root.digest, location: "app:1" }, { store: app, name: "1", location: "app:1" });
    assert.equal(registry.manifest("app", "1")?.digest, root.digest);
    const asked = log.select({ target: "/v2/app/" }).slice(before);
    assert.ok(asked.length <= 5, asked.map(({ method, target }) => `${method} ${target}`).join("\n"));
  });
});
