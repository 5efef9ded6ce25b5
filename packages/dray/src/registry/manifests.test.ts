import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  answerWith,
  corrupt,
  type Fault,
  type MemoryRegistryOptions,
  memoryRegistry,
  put,
  rewrite,
  sampleImage,
} from "@dray/testkit";
import { type Against, against, failsWith } from "../../test/registry-client.ts";
import { bytesContent, collect } from "../content/index.ts";
import { isDrayError } from "../errors.ts";
import { header } from "../http/index.ts";
import { type Descriptor, digestOf, encodeJson, largestManifest, mediaTypes } from "../oci/index.ts";
import type { Repository } from "./repository.ts";

const image = sampleImage();
const bytes = image.manifests.get(image.root.digest)?.bytes as Uint8Array;

interface Setup extends Against {
  sent(): string[];
}

const setup = (options: MemoryRegistryOptions = {}, rules: readonly Fault[] = []): Setup => {
  const registry = memoryRegistry(options);
  put(registry, "a/b", "v1", image);
  const at = against(registry, rules);
  const sent = (): string[] =>
    at.log.select({ target: "/manifests/" }).map(({ method, target }) => {
      const name = target.split("/").at(-1) ?? "";
      return `${method} ${name.startsWith("sha256:") ? "digest" : name}`;
    });
  return { ...at, sent };
};
const bytesOf = (repository: Repository, descriptor: Descriptor): Promise<Uint8Array> =>
  collect(repository.read(descriptor), largestManifest, "manifest");

test("what HEAD of a tag names and GET of the digest does not know is read by the tag, and what contradicts is told", async () => {
  const unknown: Fault = { method: "GET", target: "/manifests/sha256:", effect: answerWith(404) };
  const at = against(memoryRegistry(), [unknown]);
  const image = sampleImage();
  put(at.registry, "a/b", "v1", image);
  const descriptor = await at.repository.resolve("v1");
  const bytes = Buffer.concat(await Array.fromAsync(at.repository.read(descriptor)));
  assert.equal(digestOf(bytes), image.root.digest);
  const other = sampleImage({ seed: "other" });
  const moved = against(memoryRegistry(), [unknown]);
  put(moved.registry, "a/b", "v1", image);
  const before = await moved.repository.resolve("v1");
  put(moved.registry, "a/b", "v1", other);
  await assert.rejects(Array.fromAsync(moved.repository.read(before)), (error) => {
    assert.match(
      (error as Error).message,
      new RegExp(`is ${image.root.digest}, has nothing .* with ${other.root.digest}`),
    );
    return isDrayError(error, "REGISTRY");
  });
});

describe("what a name stands for", () => {
  const without = (name: string): Fault => ({ method: "HEAD", effect: rewrite({ [name]: undefined }) });
  const facts: readonly (readonly [what: string, rules: Fault[], sent: string[], options?: MemoryRegistryOptions])[] = [
    ["one HEAD", [], ["HEAD v1"]],
    ["HEAD without a digest: GET", [], ["HEAD v1", "GET v1"], { headDigest: false }],
    ["HEAD without a type: GET", [without("Content-Type")], ["HEAD v1", "GET v1"]],
    ["HEAD without a length: GET", [without("Content-Length")], ["HEAD v1", "GET v1"]],
    [
      "HEAD that says 0 bytes: GET",
      [{ method: "HEAD", effect: rewrite({ "Content-Length": "0" }) }],
      ["HEAD v1", "GET v1"],
    ],
    ["HEAD not allowed: GET", [{ method: "HEAD", effect: answerWith(405) }], ["HEAD v1", "GET v1"]],
    ["HEAD refused: GET", [{ method: "HEAD", effect: answerWith(403) }], ["HEAD v1", "GET v1"]],
    ["HEAD that finds nothing: GET", [{ method: "HEAD", effect: answerWith(404) }], ["HEAD v1", "GET v1"]],
    [
      "a type that says nothing: the document tells",
      [{ effect: rewrite({ "Content-Type": "text/plain; charset=utf-8" }) }],
      ["HEAD v1", "GET v1"],
    ],
    [
      "a type with parameters",
      [{ effect: rewrite({ "Content-Type": `${mediaTypes.ociManifest}; charset=utf-8` }) }],
      ["HEAD v1"],
    ],
  ];
  for (const [what, rules, sent, options] of facts)
    test(what, async () => {
      const at = setup(options, rules);
      assert.deepEqual(await at.repository.resolve("v1"), image.root);
      assert.deepEqual(at.sent(), sent);
    });

  test("a HEAD that lies is not asked again", async () => {
    const at = setup({}, [{ method: "HEAD", effect: answerWith(404) }]);
    await at.repository.resolve("v1");
    await at.repository.resolve("v1");
    assert.deepEqual(at.sent(), ["HEAD v1", "GET v1", "GET v1"]);
  });

  test("whoever only wants to know is told by a HEAD alone, if it has the type of a registry's errors", async () => {
    const at = setup();
    assert.equal(await at.repository.lookUp("v2"), undefined);
    assert.equal(await at.repository.has({ ...image.root, digest: digestOf(new Uint8Array(1)) }), false);
    assert.deepEqual(await at.repository.lookUp("v1"), image.root);
    assert.deepEqual(at.sent(), ["HEAD v2", "HEAD digest", "HEAD v1"]);
  });

  test("… and by both, once, if it has another one", async () => {
    const at = setup({}, [{ method: "HEAD", effect: rewrite({ "Content-Type": "text/plain" }) }]);
    for (const name of ["v2", "v3"]) assert.equal(await at.repository.lookUp(name), undefined);
    assert.deepEqual(at.sent(), ["HEAD v2", "GET v2", "HEAD v3"]);
  });

  test("what is not there is found out by both once, by HEAD from then on", async () => {
    const at = setup();
    await assert.rejects(at.repository.resolve("v2"), failsWith("NOT_FOUND"));
    await assert.rejects(at.repository.resolve("v3"), (error) => {
      assert.ok(isDrayError(error, "NOT_FOUND"));
      assert.match(error.message, /r\.test\/a\/b:v3/);
      return error.reference === "r.test/a/b:v3" && error.status === 404;
    });
    assert.deepEqual(at.sent(), ["HEAD v2", "GET v2", "HEAD v3"]);
  });

  test("what was read to be resolved is not read again", async () => {
    const at = setup({ headDigest: false });
    const descriptor = await at.repository.resolve("v1");
    assert.deepEqual(await bytesOf(at.repository, descriptor), bytes);
    assert.deepEqual(at.sent(), ["HEAD v1", "GET v1"]);
  });

  test("Accept names every kind of manifest, indexes first", async () => {
    const at = setup();
    await at.repository.resolve("v1");
    assert.match(
      header(at.log.entries[0]?.headers ?? [], "Accept") ?? "",
      /^application\/vnd\.oci\.image\.index\.v1\+json, /,
    );
  });

  for (const name of ["", "../x", "a/b", ".x", "a b", "sha256:0", "blake3:00"])
    test(`"${name}" is no name, and no request`, async () => {
      const at = setup();
      for (const ask of [at.repository.resolve(name), at.repository.manifest(name), at.repository.remove(name)])
        await assert.rejects(ask, failsWith("REFERENCE_INVALID"));
      assert.equal(at.log.count(), 0);
    });
});

describe("manifests that are read", () => {
  test("by tag and by digest, in one request each", async () => {
    const at = setup();
    for (const name of ["v1", image.root.digest]) {
      const read = await at.repository.manifest(name);
      assert.deepEqual([read.descriptor, read.bytes], [image.root, bytes]);
    }
    assert.deepEqual(at.sent(), ["GET v1", "GET digest"]);
  });

  test("read gives the rest from an offset", async () => {
    const rest = await collect(setup().repository.read(image.root, { offset: 10 }), 1e6, "");
    assert.deepEqual(rest, bytes.slice(10));
  });

  test("bytes with another digest are refused, by digest and by tag", async () => {
    const at = setup({}, [{ method: "GET", effect: corrupt(20) }]);
    await assert.rejects(at.repository.manifest("v1"), failsWith("DIGEST_MISMATCH"));
    await assert.rejects(at.repository.manifest(image.root.digest), failsWith("DIGEST_MISMATCH"));
    await assert.rejects(bytesOf(at.repository, image.root), failsWith("DIGEST_MISMATCH"));
  });

  test("a tag whose registry names no digest is believed", async () => {
    const at = setup({}, [{ effect: rewrite({ "Docker-Content-Digest": undefined }) }]);
    assert.equal((await at.repository.manifest("v1")).descriptor.digest, image.root.digest);
  });

  test("another size than promised is refused", async () => {
    const wrong = { ...image.root, size: image.root.size + 1 };
    await assert.rejects(bytesOf(setup().repository, wrong), failsWith("SIZE_MISMATCH"));
  });

  test("what is larger than 16 MiB is not read to its end", async () => {
    const huge = encodeJson({ schemaVersion: 2, filler: "x".repeat(largestManifest) });
    for (const length of [String(huge.byteLength), undefined]) {
      const at = setup({}, [{ effect: rewrite({ "Content-Length": length }) }]);
      at.registry.addManifest("a/b", { mediaType: mediaTypes.ociManifest, bytes: huge }, "huge");
      await assert.rejects(at.repository.manifest("huge"), failsWith("LIMIT_EXCEEDED"));
    }
  });

  test("a page of HTML is no manifest", async () => {
    const at = setup({}, [{ effect: answerWith(200, { "Content-Type": "text/html" }, "<html>log in</html>") }]);
    await assert.rejects(at.repository.resolve("v1"), failsWith("MANIFEST_INVALID"));
  });

  test("sha512", async () => {
    const at = setup();
    const digest = digestOf(bytes, "sha512");
    await at.repository.write({ ...image.root, digest }, bytesContent(bytes));
    assert.equal((await at.repository.manifest(digest)).descriptor.digest, digest);
    assert.equal((await at.repository.resolve(digest)).digest, digest);
  });
});

describe("whether a manifest is there", () => {
  test("by digest and size", async () => {
    const at = setup();
    assert.equal(await at.repository.has(image.root), true);
    assert.equal(await at.repository.has({ ...image.root, size: 1 }), false);
    assert.equal(await at.repository.has({ ...image.root, digest: digestOf(new Uint8Array(1)) }), false);
  });

  test("a server that fails over a digest it does not know does not have it, at once", async () => {
    const at = setup({}, [{ method: "HEAD", effect: answerWith(500) }]);
    assert.equal(await at.repository.has(image.root), false);
    assert.equal(at.log.count(), 1);
  });

  for (const status of [429, 503])
    test(`${status} is no answer`, async () => {
      const at = setup({}, [{ method: "HEAD", nth: 1, effect: answerWith(status) }]);
      assert.equal(await at.repository.has(image.root), true);
    });
});

describe("manifests that are pushed", () => {
  const other = encodeJson({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [] });
  const index: Descriptor = { mediaType: mediaTypes.ociIndex, digest: digestOf(other), size: other.byteLength };

  test("by digest, then named from what is in memory", async () => {
    const at = setup();
    await at.repository.write(index, bytesContent(other));
    await at.repository.tag(index, "v2");
    assert.deepEqual(at.sent(), ["PUT digest", "PUT v2"]);
    assert.deepEqual(at.registry.manifest("a/b", "v2")?.bytes, other);
    assert.equal(at.registry.manifest("a/b", "v2")?.mediaType, mediaTypes.ociIndex);
  });

  test("under their name at once", async () => {
    const at = setup();
    await at.repository.writeNamed(index, bytesContent(other), "v2");
    assert.deepEqual(at.sent(), ["PUT v2"]);
    assert.equal((await at.repository.resolve("v2")).digest, index.digest);
  });

  test("a manifest of before is named by reading it", async () => {
    const at = setup();
    await at.repository.tag(image.root, "v2");
    assert.deepEqual(at.sent(), ["GET digest", "PUT v2"]);
  });

  test("a sha512 root keeps its digest under a tag", async () => {
    const at = setup();
    const root = { ...index, digest: digestOf(other, "sha512") };
    await at.repository.writeNamed(root, bytesContent(other), "v2");
    assert.equal(at.registry.manifest("a/b", "v2")?.digest, root.digest);
    assert.equal(at.log.count({ method: "PUT" }), 1);
  });

  test("a registry that does not know tags beside a digest gets a second request", async () => {
    const at = setup({}, [{ method: "PUT", effect: rewrite({ "OCI-Tag": undefined }) }]);
    await at.repository.writeNamed({ ...index, digest: digestOf(other, "sha512") }, bytesContent(other), "v2");
    assert.equal(at.log.count({ method: "PUT" }), 2);
  });

  for (const status of [200, 202])
    test(`${status} is taken for 201`, async () => {
      const at = setup({}, [{ method: "PUT", effect: answerWith(status) }]);
      await at.repository.write(index, bytesContent(other));
    });

  test("a registry that has stored something else is found out", async () => {
    const at = setup({}, [{ method: "PUT", effect: rewrite({ "Docker-Content-Digest": image.root.digest }) }]);
    await assert.rejects(at.repository.write(index, bytesContent(other)), failsWith("DIGEST_MISMATCH"));
  });

  test("bytes that are not what they are called are not sent", async () => {
    const at = setup();
    await assert.rejects(at.repository.write(index, bytesContent(bytes)), failsWith("SIZE_MISMATCH", "LIMIT_EXCEEDED"));
    const damaged = other.map((byte, i) => (i === 3 ? byte ^ 1 : byte));
    await assert.rejects(at.repository.write(index, bytesContent(damaged)), failsWith("DIGEST_MISMATCH"));
    assert.equal(at.log.count(), 0);
  });

  test("what the registry says comes through", async () => {
    const missing = encodeJson({ schemaVersion: 2, config: { ...image.config, digest: index.digest }, layers: [] });
    const descriptor = { mediaType: mediaTypes.ociManifest, digest: digestOf(missing), size: missing.byteLength };
    await assert.rejects(setup().repository.write(descriptor, bytesContent(missing)), (error) => {
      assert.ok(isDrayError(error, "REGISTRY"));
      assert.match(error.message, /pushing manifest r\.test\/a\/b@sha256.*MANIFEST_BLOB_UNKNOWN/);
      return error.registryCode === "MANIFEST_BLOB_UNKNOWN";
    });
  });
});
