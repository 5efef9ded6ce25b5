import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  answerWith,
  type Fault,
  type MemoryRegistryOptions,
  memoryRegistry,
  put,
  sampleArtifact,
  sampleImage,
} from "@dray/testkit";
import { type Against, against } from "../../test/registry-client.ts";
import { bytesContent } from "../content/index.ts";
import { isDrayError } from "../errors.ts";
import type { Digest } from "../oci/index.ts";
import { fallbackTag } from "./referrers.ts";

const image = sampleImage();

const setup = (options: MemoryRegistryOptions = {}, rules: readonly Fault[] = []): Against => {
  const registry = memoryRegistry(options);
  put(registry, "a/b", "v1", image);
  return against(registry, rules);
};

test("what is no digest, whatever its type says, leads nowhere", async () => {
  const { repository, registry, client, log } = setup();
  const digest = "sha256:x/../../manifests/v1" as Digest;
  const wrong = { mediaType: "text/plain", digest, size: 1 };
  const asks: readonly (() => Promise<unknown>)[] = [
    () => repository.removeBlob(digest),
    () => Array.fromAsync(repository.blob(digest)),
    () => Array.fromAsync(repository.blob(wrong, { verify: false })),
    () => repository.describe(digest),
    () => repository.has(wrong),
    () => Array.fromAsync(repository.referrers(wrong)),
    () => repository.upload(wrong, bytesContent(new Uint8Array(1))),
    () => repository.mountFrom(wrong, client.repository("c/d"), { kind: "blob" }),
    () => repository.write({ ...wrong, size: 100_000 }, bytesContent(new Uint8Array(100_000))),
  ];
  for (const ask of asks) await assert.rejects(ask(), (error) => isDrayError(error, "DIGEST_INVALID"));
  const odd = repository.putManifest(image.manifests.get(image.root.digest)?.bytes ?? new Uint8Array(), {
    tags: ["v2&tag=v3"],
    algorithm: "sha512",
  });
  await assert.rejects(odd, (error) => isDrayError(error, "REFERENCE_INVALID"));
  assert.deepEqual([log.entries.length, registry.tags("a/b")], [0, ["v1"]]);
});

describe("deletion", () => {
  test("of a tag leaves the manifest", async () => {
    const at = setup();
    await at.repository.remove("v1");
    assert.deepEqual(at.registry.tags("a/b"), []);
    assert.ok(at.registry.manifest("a/b", image.root.digest));
    assert.equal(at.log.count({ method: "DELETE" }), 1);
  });

  test("of a manifest by digest takes its tags along, and what is remembered of it", async () => {
    const at = setup();
    await at.repository.manifest("v1");
    await at.repository.remove(image.root.digest);
    assert.deepEqual(at.registry.tags("a/b"), []);
    await assert.rejects(Array.fromAsync(at.repository.read(image.root)), (error) => isDrayError(error, "NOT_FOUND"));
  });

  test("of a blob only where that is asked for: its digest names no manifest", async () => {
    const at = setup();
    const { digest } = image.config;
    await assert.rejects(at.repository.remove(digest), (error) => isDrayError(error, "NOT_FOUND"));
    assert.ok(at.registry.blob("a/b", digest));
    await at.repository.removeBlob(digest);
    assert.equal(at.registry.blob("a/b", digest), undefined);
    await assert.rejects(at.repository.removeBlob(digest), (error) => isDrayError(error, "NOT_FOUND"));
  });

  test("of what is not there", async () => {
    const { repository } = setup();
    for (const name of ["v2", `sha256:${"0".repeat(64)}`])
      await assert.rejects(repository.remove(name), (error) => isDrayError(error, "NOT_FOUND"));
  });

  test("of a tag that is not there, by a registry that takes tags for wrong digests", async () => {
    const at = setup({}, [{ method: "DELETE", effect: answerWith(400, {}, '{"errors":[{"code":"DIGEST_INVALID"}]}') }]);
    await assert.rejects(at.repository.remove("nope"), (error) => isDrayError(error, "NOT_FOUND"));
    await assert.rejects(at.repository.remove("v1"), (error) => isDrayError(error, "UNSUPPORTED"));
  });

  const refusals: readonly (readonly [
    what: string,
    name: string,
    rules: Fault[],
    remedy: RegExp,
    options?: MemoryRegistryOptions,
  ])[] = [
    ["where nothing may be deleted", image.root.digest, [], /operator/, { deletes: false }],
    ["where tags may not be deleted", "v1", [{ method: "DELETE", effect: answerWith(405) }], /by its digest/],
    [
      "where a tag is taken for a wrong digest, as docker-registry 2.8 does",
      "v1",
      [{ method: "DELETE", effect: answerWith(400, {}, '{"errors":[{"code":"DIGEST_INVALID"}]}') }],
      /by its digest/,
    ],
    [
      "where it is said in words",
      "v1",
      [{ method: "DELETE", effect: answerWith(400, {}, '{"errors":[{"code":"UNSUPPORTED"}]}') }],
      /by its digest/,
    ],
  ];
  for (const [what, name, rules, remedy, options] of refusals)
    test(`${what}: an error with a remedy`, async () => {
      const at = setup(options, rules);
      await assert.rejects(at.repository.remove(name), (error) => {
        assert.ok(isDrayError(error, "UNSUPPORTED"));
        assert.match(error.message, remedy);
        assert.match(error.message, /r\.test\/a\/b/);
        return true;
      });
      assert.ok(at.registry.manifest("a/b", "v1"));
    });

  for (const name of ["v1", image.root.digest])
    test(`where the registry says that it is read-only: no advice that would be refused as well (${name})`, async () => {
      const said = '{"errors":[{"code":"UNSUPPORTED","message":"the registry is read-only at the moment"}]}';
      const at = setup({}, [{ method: "DELETE", effect: answerWith(405, {}, said) }]);
      await assert.rejects(at.repository.remove(name), (error) => {
        assert.ok(isDrayError(error, "UNSUPPORTED"));
        assert.match(error.message, /read-only at the moment$/);
        return true;
      });
    });

  for (const status of [200, 204])
    test(`${status} is taken for 202`, () =>
      setup({}, [{ method: "DELETE", effect: answerWith(status) }]).repository.remove("v1"));

  test("of a referrer takes it off the list of its subject", async () => {
    const at = setup({ referrers: false });
    const [one, other] = ["one", "other"].map((seed) => sampleArtifact({ seed, subject: image.root }));
    assert.ok(one && other);
    for (const artifact of [one, other]) {
      put(at.registry, "a/b", undefined, artifact);
      const bytes = artifact.manifests.get(artifact.root.digest)?.bytes as Uint8Array;
      await at.repository.write(artifact.root, {
        size: bytes.byteLength,
        open: async function* () {
          yield bytes;
        },
      });
    }
    const listed = async (): Promise<string[]> =>
      (await Array.fromAsync(at.repository.referrers(image.root))).map(({ digest }) => digest);
    assert.deepEqual(await listed(), [one.root.digest, other.root.digest]);
    await at.repository.remove(one.root.digest);
    assert.deepEqual(await listed(), [other.root.digest]);
    await at.repository.remove(other.root.digest);
    assert.deepEqual(await listed(), []);
    assert.ok(at.registry.tags("a/b").includes(fallbackTag(image.root.digest)));
  });
});
