import assert from "node:assert/strict";
import { type Exchange, exchange } from "@dray/testkit";
import { type Descriptor, digestOf, encodeJson, mediaTypes } from "dray/oci";
import { uploadsPath } from "../../src/distribution-tree/index.ts";
import { createRegistry } from "../../src/registry.ts";
import { memoryDriver } from "../../src/storage/index.ts";
import { deletes, filled, learn } from "./lesson.ts";
import { blobDigest, image, imageDigest, imageWith, indexWith } from "./sample.ts";

/* What went wrong in other registries, by their advisories and issues; access has a file of its own. */

const type = { "Content-Type": mediaTypes.ociManifest };
const statusOf = async (answer: Promise<Exchange>): Promise<number> => (await answer).status;

learn([
  {
    id: "CVE-2017-11468",
    what: "a manifest's body was read without a limit",
    test: async () => {
      const registry = filled();
      let sent = 0;
      async function* endless(): AsyncGenerator<Uint8Array> {
        for (;;) {
          yield new Uint8Array(64 * 1024).fill(0x20);
          sent += 64 * 1024;
        }
      }
      const body = { chunks: endless(), discard: async () => {} };
      const target = "/v2/app/manifests/new";
      const { status } = await registry({
        method: "PUT",
        origin: "http://a",
        target,
        headers: Object.entries(type),
        body,
      });
      assert.equal(status, 413);
      assert.ok(sent <= 4 * 1024 * 1024, `${sent}`);
      await registry.close();
    },
  },
  {
    id: "CVE-2021-41190",
    what: "one document was an image to some and an index to others",
    test: async () => {
      const registry = filled();
      const [both, index] = [{ ...indexWith(), ...imageWith() }, indexWith({ mediaType: undefined })];
      for (const contentType of [mediaTypes.ociManifest, mediaTypes.ociIndex, "application/json", ""])
        for (const body of [both, { ...both, mediaType: undefined }, { ...both, mediaType: mediaTypes.ociIndex }]) {
          const options = { headers: { "Content-Type": contentType }, body: encodeJson(body) };
          assert.equal(await statusOf(exchange(registry, "PUT", "/v2/app/manifests/new", options)), 400);
        }
      const asImage = { headers: type, body: encodeJson(index) };
      assert.equal(await statusOf(exchange(registry, "PUT", "/v2/app/manifests/new", asImage)), 400);
      // And what was pushed as one thing comes back as it, whatever a client would rather have.
      const asIndex = { headers: { "Content-Type": mediaTypes.ociIndex }, body: encodeJson(index) };
      assert.equal(await statusOf(exchange(registry, "PUT", "/v2/app/manifests/new", asIndex)), 201);
      const got = await exchange(registry, "GET", "/v2/app/manifests/new", {
        headers: { Accept: mediaTypes.ociManifest },
      });
      assert.equal(got.header("Content-Type"), mediaTypes.ociIndex);
      await registry.close();
    },
  },
  {
    id: "CVE-2023-2253",
    what: "`n` of a catalog was believed, and memory set aside for it",
    test: async () => {
      const registry = filled({ pages: { catalog: 5, tags: 6, referrers: 7 } });
      await registry.context.reconciler.reconciled();
      const { metadata } = registry.context;
      const limits: number[] = [];
      const hear =
        <A extends unknown[], R>(method: (...args: A) => R) =>
        (...args: A): R => {
          limits.push((args.at(-1) as { limit: number }).limit);
          return method(...args);
        };
      Object.assign(metadata, {
        repositories: hear(metadata.repositories.bind(metadata)),
        tags: hear(metadata.tags.bind(metadata)),
        referrers: hear(metadata.referrers.bind(metadata)),
      });
      /** What the index is asked for by one request. */
      const asked = async (path: string): Promise<number[]> => {
        limits.length = 0;
        assert.equal(await statusOf(exchange(registry, "GET", path)), 200);
        return [...limits];
      };
      // One more than a page has; of a catalog, of which a client may see little, a hundred names at a time.
      for (const [path, most] of [
        ["/v2/_catalog", 100],
        ["/v2/app/tags/list", 7],
        [`/v2/app/referrers/${imageDigest}`, 8],
      ] as const) {
        const found = await asked(`${path}?n=999999999999999`);
        assert.ok(found.length > 0 && found.every((limit) => limit <= most), `${path}: ${found.join()}`);
      }
      await registry.close();
    },
  },
  {
    id: "CVE-2026-35172",
    what: "a cache made a deleted blob readable again",
    test: async () => {
      const registry = filled();
      const read = (target: string): Promise<number> => statusOf(exchange(registry, "GET", target));
      const mount = `/v2/other/blobs/uploads/?mount=${blobDigest}&from=app`;
      assert.equal(await statusOf(exchange(registry, "POST", mount)), 201);
      for (const target of deletes) {
        assert.equal(await read(target), 200);
        assert.equal(await statusOf(exchange(registry, "HEAD", target)), 200);
        assert.equal(await statusOf(exchange(registry, "DELETE", target)), 202);
        assert.equal(await read(target), 404);
        assert.equal(await statusOf(exchange(registry, "HEAD", target)), 404);
      }
      // Its data is still there, for somebody else.
      assert.equal(await read(`/v2/other/blobs/${blobDigest}`), 200);
      assert.equal(await read(`/v2/app/blobs/${blobDigest}`), 404);
      await registry.close();
    },
  },
  {
    id: "CVE-2026-41888",
    what: "deleting a tag did not ask whether deleting is disabled",
    test: async () => {
      const registry = filled({ deletes: false });
      for (const target of deletes) {
        for (const headers of [{}, { "If-Match": "*" }])
          assert.equal(await statusOf(exchange(registry, "DELETE", target, { headers })), 405);
        assert.equal(await statusOf(exchange(registry, "GET", target)), 200);
      }
      const { deletions } = registry.context;
      await assert.rejects(deletions.tag("app", "latest"));
      await assert.rejects(deletions.manifest("app", imageDigest));
      await assert.rejects(deletions.blob("app", blobDigest));
      await registry.close();
    },
  },
  {
    id: "distribution #4713",
    what: "purging uploads broke on a name that is none",
    test: async () => {
      const driver = memoryDriver();
      for (const path of ["_uploads/x", "_uploads/...", "_uploads/-/data", "_uploads/ /startedat", "_uploads"])
        driver.putSync(`${uploadsPath(`odd-${path.length}`).replace(/_uploads$/, "")}${path}`, new Uint8Array(1));
      const old = "01234567-89ab-cdef-0123-456789abcdef";
      driver.putSync(`${uploadsPath("app")}/${old}/data`, new Uint8Array(1), { mtime: 1 });
      driver.putSync(`${uploadsPath("app")}/${old}/startedat`, new TextEncoder().encode("no time at all"));
      const registry = createRegistry({ driver, gc: { lease: 0, grace: -1 } });
      assert.equal(await registry.context.uploads.purge(Date.now() - 1000), 1);
      await registry.collect();
      await registry.close();
    },
  },
  {
    id: "CVE-2026-31801",
    what: "who may only create could overwrite a tag",
    test: async () => {
      // There is no right to create without the right to replace. What there is, a condition, is decided where the tag is set.
      const registry = filled();
      const answers = await Promise.all(
        Array.from({ length: 20 }, (_, i) =>
          exchange(registry, "PUT", "/v2/app/manifests/created", {
            headers: { ...type, "If-None-Match": "*" },
            body: encodeJson(imageWith({ annotations: { i: `${i}` } })),
          }),
        ),
      );
      assert.equal(answers.filter(({ status }) => status === 201).length, 1);
      assert.equal(answers.filter(({ status }) => status === 412).length, 19);
      await registry.close();
    },
  },
  {
    id: "zot #4202 and #4204",
    what: "a signature was not bound to what it signs; a malformed signature tag stopped the server",
    test: async () => {
      // Signatures are not judged here. Tags that look as if they said something about a manifest are tags, whatever lies there.
      const registry = filled();
      const hex = imageDigest.slice("sha256:".length);
      const tags = [
        `sha256-${hex}`,
        `sha256-${hex}.sig`,
        `sha256-${hex.slice(1)}`,
        `sha256-${hex}.sig.sig`,
        "sha256-",
        "sha512-zz",
      ];
      for (const tag of tags)
        for (const body of [image, encodeJson(imageWith({ layers: [] }))])
          assert.equal(
            await statusOf(exchange(registry, "PUT", `/v2/app/manifests/${tag}`, { headers: type, body })),
            201,
          );
      const headers = { "Content-Type": mediaTypes.ociIndex };
      const itself = { mediaType: mediaTypes.ociManifest, digest: imageDigest, size: 99_999_999 };
      const body = encodeJson(indexWith({ manifests: [itself, itself] }));
      assert.equal(
        await statusOf(exchange(registry, "PUT", `/v2/app/manifests/sha256-${hex}`, { headers, body })),
        201,
      );
      await registry.rebuild();
      const got = await exchange(registry, "GET", `/v2/app/referrers/${imageDigest}`);
      assert.equal(got.status, 200);
      // It has no subject, whoever lists it.
      assert.deepEqual((got.json() as { manifests: unknown[] }).manifests, []);
      await registry.close();
    },
  },
  {
    id: "zot #4318",
    what: "gc walked every path through nested indexes",
    test: async () => {
      const registry = filled({ gc: { lease: 0, grace: -1 } });
      // Each level has two indexes over both of the level below: 2^40 paths from the top.
      let below: Descriptor[] = [image].map((bytes) => ({
        mediaType: mediaTypes.ociManifest,
        digest: digestOf(bytes),
        size: bytes.byteLength,
      }));
      for (let level = 0; level < 40; level++) {
        const above = ["a", "b"].map((side) => encodeJson(indexWith({ manifests: below, annotations: { side } })));
        for (const body of above) {
          const headers = { "Content-Type": mediaTypes.ociIndex };
          const target = `/v2/app/manifests/${digestOf(body)}${level === 39 ? "?tag=top" : ""}`;
          assert.equal(await statusOf(exchange(registry, "PUT", target, { headers, body })), 201);
        }
        below = above.map((bytes) => ({
          mediaType: mediaTypes.ociIndex,
          digest: digestOf(bytes),
          size: bytes.byteLength,
        }));
      }
      const { manifests } = await registry.collect({ untagged: 0 });
      // The other one at the top has no tag.
      assert.ok(manifests <= 1, `${manifests}`);
      assert.equal(await statusOf(exchange(registry, "GET", `/v2/app/manifests/${imageDigest}`)), 200);
      await registry.close();
    },
  },
  {
    id: "CVE-2024-22261",
    what: "SQL in a search",
    test: async () => {
      const registry = filled();
      await registry.context.reconciler.reconciled();
      const before = registry.context.metadata.counts();
      for (const evil of [
        "'",
        "' OR '1'='1",
        "'; DROP TABLE tags; --",
        "%' UNION SELECT * FROM repositories --",
        "\\",
        "\0",
      ]) {
        const word = encodeURIComponent(evil);
        for (const target of [
          `/v2/_catalog?last=${word}`,
          `/v2/app/tags/list?last=${word}`,
          `/v2/app/referrers/${imageDigest}?artifactType=${word}&last=${word}`,
        ])
          assert.equal(await statusOf(exchange(registry, "GET", target)), 200, target);
      }
      const body = encodeJson(
        imageWith({ artifactType: "'); DELETE FROM manifests; --", annotations: { "'": "';--" } }),
      );
      assert.equal(await statusOf(exchange(registry, "PUT", "/v2/app/manifests/sql", { headers: type, body })), 201);
      assert.deepEqual(registry.context.metadata.counts(), {
        ...before,
        tags: before.tags + 1,
        manifests: before.manifests + 1,
      });
      await registry.close();
    },
  },
]);
