import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { googleListing, memoryRegistry, put, RequestLog, sampleImage, sampleIndex } from "@dray/testkit";
import { clientOf, failsWith } from "../../test/registry-client.ts";
import { respondJson } from "../../test/respond-json.ts";
import { digestOf } from "../oci/index.ts";

const digest = digestOf(new Uint8Array(1));

describe("what a repository holds", () => {
  test("in Google's form: every manifest with its tags and times, and what lies below, in one request", async () => {
    const memory = memoryRegistry();
    const index = sampleIndex();
    put(memory, "project/app", "v1", index);
    memory.addTags("project/app", ["v2"], index.root.digest);
    put(memory, "project/app/web", "v1", sampleImage());
    const log = new RequestLog();
    const uploaded = Date.UTC(2026, 1, 3, 4, 5, 6, 7);
    const client = clientOf(
      log.middleware(googleListing(memory, { uploaded: () => uploaded })(memory.handler)),
      {},
      "eu.gcr.io",
    );
    const { tags, manifests, children } = await client.repository("project/app").contents();
    assert.deepEqual([tags, children], [["v1", "v2"], ["web"]]);
    assert.equal(manifests?.size, 3);
    const top = manifests?.get(index.root.digest);
    assert.deepEqual(top?.tags, ["v1", "v2"]);
    assert.equal(top?.mediaType, index.root.mediaType);
    assert.equal(top?.uploaded?.getTime(), uploaded);
    assert.deepEqual(manifests?.get(index.images[0]?.root.digest ?? digest)?.tags, []);
    assert.deepEqual(
      log.entries.map(({ target }) => target),
      ["/v2/project/app/tags/list?n=10000"],
    );
    assert.deepEqual((await client.repository("project").contents()).children, ["app"]);
    await assert.rejects(client.repository("other").contents(), failsWith("NOT_FOUND"));
    await client.close();
  });

  test("elsewhere: tags, page after page", async () => {
    const memory = memoryRegistry({ pageSize: 2 });
    put(memory, "a/b", "v1", sampleImage());
    memory.addTags("a/b", ["v2", "v3", "v4", "v5"]);
    const client = clientOf(memory.handler);
    assert.deepEqual(await client.repository("a/b").contents(), {
      tags: ["v1", "v2", "v3", "v4", "v5"],
      manifests: undefined,
      children: undefined,
    });
    await assert.rejects(client.repository("c").contents(), failsWith("NOT_FOUND"));
    await client.close();
  });

  test("what makes no sense in a list is passed over, and nothing in it is nothing", async () => {
    const said = {
      name: "a/b",
      tags: null,
      child: ["x", 7],
      manifest: {
        [digest]: {
          imageSizeBytes: 5,
          mediaType: 7,
          tag: null,
          timeCreatedMs: "never",
          timeUploadedMs: "8640000000000001",
        },
        nonsense: { tag: ["v1"] },
        [digestOf(new Uint8Array(2))]: null,
      },
    };
    const client = clientOf(respondJson(said));
    const { tags, manifests, children } = await client.repository("a/b").contents();
    assert.deepEqual([tags, children], [[], ["x"]]);
    assert.deepEqual([...(manifests?.values() ?? [])], [{ digest, mediaType: "", size: 5, tags: [] }]);
    const empty = clientOf(respondJson({ name: "a/b", tags: [], child: [], manifest: {} }));
    assert.deepEqual(await empty.repository("a/b").contents(), { tags: [], manifests: new Map(), children: [] });
    await client.close();
    await empty.close();
  });
});
