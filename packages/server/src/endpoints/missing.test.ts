import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { exchange } from "@dray/testkit";
import { digestOf, encodeJson, mediaTypes } from "dray/oci";
import type { RegistryOptions } from "../options.ts";
import { createRegistry } from "../registry.ts";
import { memoryDriver } from "../storage/index.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const descriptor = (mediaType: string, text: string): object => {
  const content = bytes(text);
  return { mediaType, digest: digestOf(content), size: content.byteLength };
};
const image = encodeJson({
  schemaVersion: 2,
  mediaType: mediaTypes.ociManifest,
  config: descriptor(mediaTypes.ociConfig, "{}"),
  layers: ["one", "two", "two"].map((text) => descriptor(mediaTypes.ociLayer, text)),
});
const headers = { "Content-Type": mediaTypes.ociManifest };

/** What a push is told when `there` was pushed before, or in another repository. */
const told = async (there: readonly string[], options: Partial<RegistryOptions> = {}, to = "app") => {
  const driver = memoryDriver();
  const registry = createRegistry({ driver, ...options });
  for (const text of there)
    await exchange(registry, "POST", `/v2/app/blobs/uploads/?digest=${digestOf(bytes(text))}`, { body: bytes(text) });
  const pushed = await exchange(registry, "PUT", `/v2/${to}/manifests/latest`, { headers, body: image });
  const tagged = (await exchange(registry, "GET", `/v2/${to}/manifests/latest`)).status;
  await registry.close();
  const { errors = [] } = pushed.status === 400 ? (pushed.json() as { errors?: [] }) : {};
  const named = errors.map(({ code, detail }: { code: string; detail: { digest: string } }) => [code, detail.digest]);
  return { status: pushed.status, named, tagged };
};
const lacks = (...texts: readonly string[]): string[][] =>
  texts.map((text) => ["MANIFEST_BLOB_UNKNOWN", digestOf(bytes(text))]);

describe("an image", () => {
  it("names each blob that is missing, once, in its own order, and no tag is set", async () => {
    assert.deepEqual(await told([]), { status: 400, named: lacks("{}", "one", "two"), tagged: 404 });
    assert.deepEqual(await told(["{}", "two"]), { status: 400, named: lacks("one"), tagged: 404 });
  });

  it("is not whole by what another repository has", async () => {
    const there = ["{}", "one", "two"];
    assert.equal((await told(there)).status, 201);
    assert.deepEqual((await told(there, {}, "other")).named, lacks("{}", "one", "two"));
  });

  it("is asked for its blobs whatever indexes are asked for, unless sparse images are taken", async () => {
    for (const completeIndexes of ["all", "none", []] as const)
      assert.equal((await told([], { completeIndexes })).status, 400);
    assert.deepEqual(await told([], { sparseImages: true, completeIndexes: "all" }), {
      status: 201,
      named: [],
      tagged: 200,
    });
  });
});
