import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  answerWith,
  type Fault,
  type MemoryRegistry,
  type MemoryRegistryOptions,
  memoryRegistry,
  put,
  rewrite,
  type SampleArtifactOptions,
  sampleArtifact,
  sampleImage,
  sampleIndex,
} from "@dray/testkit";
import { type Against, against, clientOf } from "../../test/registry-client.ts";
import { bytesContent } from "../content/index.ts";
import { isDrayError } from "../errors.ts";
import { type Handler, header } from "../http/index.ts";
import {
  type Descriptor,
  type Digest,
  digestOf,
  encodeJson,
  type Index,
  mediaTypes,
  type Parsed,
} from "../oci/index.ts";
import type { ReferrersOptions } from "./referrers.ts";
import { fallbackTag } from "./referrers.ts";
import type { Repository } from "./repository.ts";

const image = sampleImage();
const subject = image.root;

interface Setup extends Against {
  list(options?: ReferrersOptions): Promise<Descriptor[]>;
  /** Pushes an artifact as a client does. */
  attach(seed: string, options?: SampleArtifactOptions): Promise<Descriptor>;
  /** What lies under the fallback tag. */
  fallback(): Parsed<Index>;
}

const setup = (options: MemoryRegistryOptions = {}, rules: readonly Fault[] = []): Setup => {
  const registry = memoryRegistry(options);
  put(registry, "a/b", "v1", image);
  const at = against(registry, rules);
  const { repository } = at;
  return {
    ...at,
    list: (given) => Array.fromAsync(repository.referrers(subject, given)),
    attach: (seed, given) => attach(registry, repository, seed, given),
    fallback: () =>
      JSON.parse(
        new TextDecoder().decode(registry.manifest("a/b", fallbackTag(subject.digest))?.bytes),
      ) as Parsed<Index>,
  };
};

const attach = async (
  registry: MemoryRegistry,
  repository: Repository,
  seed: string,
  options: SampleArtifactOptions = {},
): Promise<Descriptor> => {
  const artifact = sampleArtifact({ seed, subject, ...options });
  for (const blob of artifact.blobs.values()) registry.addBlob("a/b", blob);
  const bytes = artifact.manifests.get(artifact.root.digest)?.bytes as Uint8Array;
  await repository.write(artifact.root, bytesContent(bytes));
  return artifact.root;
};

const digests = (descriptors: readonly Descriptor[]): Digest[] => descriptors.map(({ digest }) => digest);

describe("the referrers API", () => {
  test("page after page", async () => {
    const at = setup({ referrersPageSize: 2 });
    const pushed = [];
    for (const seed of ["1", "2", "3", "4", "5"]) pushed.push(await at.attach(seed));
    at.log.clear();
    assert.deepEqual(digests(await at.list()).sort(), digests(pushed).sort());
    assert.equal(at.log.count(), 3);
    assert.deepEqual(at.registry.tags("a/b"), ["v1"]);
  });

  test("an entry that is none is told when the others have been given out", async () => {
    const at = setup();
    const pushed = await at.attach("1");
    const bad = { ...pushed, digest: `sha384:${"a".repeat(96)}` };
    const body = JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [bad, pushed] });
    const answer = answerWith(200, { "Content-Type": mediaTypes.ociIndex }, body);
    const { repository } = against(at.registry, [{ target: "/referrers/", effect: answer }]);
    const seen: Digest[] = [];
    const list = async (): Promise<void> => {
      for await (const { digest } of repository.referrers(subject)) seen.push(digest);
    };
    await assert.rejects(list(), (error) => isDrayError(error, "MANIFEST_INVALID"));
    assert.deepEqual(seen, [pushed.digest]);
  });

  test("nothing refers", async () => assert.deepEqual(await setup().list(), []));

  for (const filters of [undefined, "artifactType", "other, artifactType"])
    test(`only one type; filtered by the registry: ${filters}`, async () => {
      const unfiltered: Fault = {
        target: /referrers.*artifactType/,
        effect: async (request, next) => next({ ...request, target: request.target.replace(/\?.*/, "") }),
      };
      const at = setup(
        {},
        filters === undefined
          ? [unfiltered]
          : [{ target: "artifactType", effect: rewrite({ "OCI-Filters-Applied": filters }) }],
      );
      const wanted = await at.attach("1", { artifactType: "application/vnd.test+a" });
      await at.attach("2", { artifactType: "application/vnd.test+b" });
      assert.deepEqual(digests(await at.list({ artifactType: "application/vnd.test+a" })), [wanted.digest]);
      assert.match(at.log.entries.at(-1)?.target ?? "", /\?artifactType=application%2Fvnd\.test%2Ba$/);
    });

  test("a content type with parameters is one all the same", async () => {
    const at = setup({}, [
      { target: "/referrers/", effect: rewrite({ "Content-Type": `${mediaTypes.ociIndex}; charset=utf-8` }) },
    ]);
    const pushed = await at.attach("1");
    assert.deepEqual(digests(await at.list()), [pushed.digest]);
  });

  test("a registry that has it has it for every repository: one that is not there has no referrers", async () => {
    const at = setup({}, [{ target: "/referrers/", nth: 2, effect: answerWith(404) }]);
    await at.list();
    assert.deepEqual(await Array.fromAsync(at.client.repository("no/such").referrers(subject)), []);
    assert.deepEqual(await at.list(), []);
    assert.equal(at.log.count({ target: "/referrers/" }), 3);
  });

  for (const status of [401, 403, 500])
    test(`${status} is no answer`, async () => {
      const headers = status === 401 ? { "WWW-Authenticate": 'Basic realm="r"' } : {};
      const at = setup({}, [{ target: "/referrers/", effect: answerWith(status, headers) }]);
      await assert.rejects(at.list(), (error) => isDrayError(error) && error.status === status);
    });
});

describe("the fallback tag", () => {
  test("its name is cut to what a tag may be", () => {
    const bytes = new Uint8Array(1);
    assert.equal(fallbackTag(digestOf(bytes)), digestOf(bytes).replace(":", "-"));
    assert.equal(fallbackTag(digestOf(bytes, "sha512")), digestOf(bytes, "sha512").replace(":", "-").slice(0, 71));
  });

  for (const status of [200, 400, 401, 404, 405, 406])
    test(`${status} without an index: the tag is read, and the API not asked again`, async () => {
      const at = setup({ referrers: false }, [
        { target: "/referrers/", effect: answerWith(status, { "Content-Type": "text/html" }) },
      ]);
      const pushed = await at.attach("1");
      for (let i = 0; i < 2; i++) assert.deepEqual(digests(await at.list()), [pushed.digest]);
      assert.equal(at.log.count({ target: "/referrers/" }), 1);
    });

  test("no tag, no referrers", async () => assert.deepEqual(await setup({ referrers: false }).list(), []));

  test("something else under the tag is no list, and stays", async () => {
    const at = setup({ referrers: false });
    const other = sampleImage({ seed: "other" });
    put(at.registry, "a/b", fallbackTag(subject.digest), other);
    assert.deepEqual(await at.list(), []);
    await assert.rejects(at.attach("1"), (error) => isDrayError(error, "EXISTS"));
    assert.equal(at.registry.manifest("a/b", fallbackTag(subject.digest))?.digest, other.root.digest);
  });

  test("that a registry takes for the digest itself is no list, and none can be kept there", async () => {
    const index = sampleIndex();
    const registry = memoryRegistry({ referrers: false });
    put(registry, "a/b", "v1", index);
    const dash: Fault = {
      target: /manifests\/sha256-/,
      effect: (request, next) => next({ ...request, target: request.target.replace("sha256-", "sha256:") }),
    };
    const { repository } = against(registry, [dash]);
    assert.deepEqual(await Array.fromAsync(repository.referrers(index.root)), []);
    const artifact = sampleArtifact({ subject: index.root });
    for (const blob of artifact.blobs.values()) registry.addBlob("a/b", blob);
    const bytes = artifact.manifests.get(artifact.root.digest)?.bytes as Uint8Array;
    await assert.rejects(repository.write(artifact.root, bytesContent(bytes)), (error) => {
      assert.ok(isDrayError(error, "UNSUPPORTED"));
      assert.match(error.message, /cannot keep one: it takes sha256-\w+ for the digest/);
      return true;
    });
    assert.ok(registry.manifest("a/b", artifact.root.digest));
    await repository.remove(artifact.root.digest);
  });

  test("children of an index that somebody took for its referrers are none", async () => {
    const at = setup({ referrers: false });
    const pushed = await at.attach("1");
    const list = at.fallback();
    const child = { ...image.root, platform: { os: "linux", architecture: "amd64" } };
    const bytes = encodeJson({ ...list, manifests: [...list.manifests, child] });
    at.registry.addManifest("a/b", { mediaType: mediaTypes.ociIndex, bytes }, fallbackTag(subject.digest));
    assert.deepEqual(digests(await at.list()), [pushed.digest]);
  });

  test("is kept as well where a registry says OCI-Subject and has no list", async () => {
    const at = setup({ referrers: false }, [
      { method: "PUT", target: "/manifests/", effect: rewrite({ "OCI-Subject": subject.digest }) },
    ]);
    const pushed = [await at.attach("1"), await at.attach("2")];
    assert.deepEqual(digests(at.fallback().manifests).sort(), digests(pushed).sort());
    assert.deepEqual(digests(await at.list()).sort(), digests(pushed).sort());
    assert.equal(at.log.count({ target: "/referrers/" }), 1);
  });

  test("an entry says what the API would say", async () => {
    const at = setup({ referrers: false });
    const annotations = { "org.example": "x" };
    const pushed = await at.attach("1", { artifactType: "application/vnd.test", annotations });
    assert.deepEqual(at.fallback().manifests, [{ ...pushed, artifactType: "application/vnd.test", annotations }]);
    assert.equal(at.fallback().mediaType, mediaTypes.ociIndex);
  });

  test("the requests of a push, and of the same push again", async () => {
    const at = setup({ referrers: false });
    await at.attach("1");
    const sent = (): string[] => at.log.select().map(({ method, status }) => `${method} ${status}`);
    assert.deepEqual(sent().slice(-4), ["PUT 201", "GET 404", "PUT 201", "GET 200"]);
    at.log.clear();
    await at.attach("1");
    assert.deepEqual(sent(), ["PUT 201", "GET 200"]);
    assert.equal(at.fallback().manifests.length, 1);
  });

  test("what others have written stays: entries, members, annotations", async () => {
    // A list names what the repository may not hold any more.
    const at = setup({ referrers: false, sparse: true });
    const other = {
      mediaType: mediaTypes.ociManifest,
      digest: digestOf(new Uint8Array(2)),
      size: 2,
      "x-entry": { a: 1 },
    };
    const index = {
      schemaVersion: 2,
      "x-index": [1],
      mediaType: mediaTypes.ociIndex,
      manifests: [other],
      annotations: { k: "v" },
    };
    at.registry.addManifest(
      "a/b",
      { mediaType: mediaTypes.ociIndex, bytes: encodeJson(index) },
      fallbackTag(subject.digest),
    );
    const pushed = await at.attach("1");
    const { manifests, ...rest } = at.fallback();
    assert.deepEqual([rest["x-index"], rest.annotations], [[1], { k: "v" }]);
    assert.deepEqual(manifests[0], other);
    assert.equal(manifests[1]?.digest, pushed.digest);
  });

  test("many referrers pushed at the same time are all there", async () => {
    const at = setup({ referrers: false });
    const pushed = await Promise.all(["1", "2", "3", "4", "5", "6"].map((seed) => at.attach(seed)));
    assert.deepEqual(digests(await at.list()).sort(), digests(pushed).sort());
  });

  for (const conditional of [true, false])
    test(`a writer that comes between is not lost, nor are we; If-Match ${conditional ? "honoured" : "ignored"}`, async () => {
      const registry = memoryRegistry({ referrers: false, conditional });
      put(registry, "a/b", "v1", image);
      const tag = fallbackTag(subject.digest);
      const other = clientOf(registry.handler).repository("a/b");
      let between = 0;
      const handler: Handler = async (request) => {
        // Between our reading and our writing.
        if (request.method === "PUT" && request.target.endsWith(tag) && between < 3)
          await attach(registry, other, `other ${between++}`);
        return registry.handler(request);
      };
      const repository = clientOf(handler).repository("a/b");
      const ours = await attach(registry, repository, "ours");
      const listed = digests(await Array.fromAsync(repository.referrers(subject)));
      assert.ok(listed.includes(ours.digest));
      // Without conditions an entry that was written between our reading and our writing is overwritten: nobody can help that.
      if (conditional) assert.equal(listed.length, 4);
    });

  test("conditions are sent by what was read", async () => {
    const at = setup({ referrers: false, conditional: true });
    const puts = (): (string | undefined)[] =>
      at.log
        .select({ method: "PUT", target: fallbackTag(subject.digest) })
        .map(({ headers }) => header(headers, "If-None-Match") ?? header(headers, "If-Match"));
    await at.attach("1");
    const etag = `"${at.registry.manifest("a/b", fallbackTag(subject.digest))?.digest}"`;
    await at.attach("2");
    assert.deepEqual(puts(), ["*", etag]);
  });

  test("our entry that another writer has overwritten is written again", async () => {
    const tag = fallbackTag(subject.digest);
    const empty = encodeJson({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [] });
    const overwrite: Fault = {
      method: "PUT",
      target: tag,
      nth: [1, 3],
      effect: async (request, next) => {
        const response = await next(request);
        at.registry.addManifest("a/b", { mediaType: mediaTypes.ociIndex, bytes: empty }, tag);
        return response;
      },
    };
    const at: Setup = setup({ referrers: false }, [overwrite]);
    const pushed = await at.attach("1");
    assert.deepEqual(digests(await at.list()), [pushed.digest]);
    assert.equal(at.log.count({ method: "PUT", target: tag }), 4);
  });

  test("a registry that never keeps it is an end, with a remedy", async () => {
    const at = setup({ referrers: false }, [
      { method: "PUT", target: fallbackTag(subject.digest), effect: answerWith(201) },
    ]);
    await assert.rejects(at.attach("1"), (error) => isDrayError(error, "REGISTRY") && /push again/.test(error.message));
  });

  test("a type that other clients have written wrongly is looked up", async () => {
    const at = setup({ referrers: false });
    const right = await at.attach("1", { artifactType: "application/vnd.wanted" });
    const wrong = await at.attach("2", { artifactType: "application/vnd.wanted" });
    const none = await at.attach("3", { artifactType: "application/vnd.wanted" });
    const other = await at.attach("4", { artifactType: "application/vnd.other" });
    const index = {
      ...at.fallback(),
      manifests: at.fallback().manifests.map((entry) => {
        const { artifactType: _, ...rest } = entry;
        if (entry.digest === wrong.digest || entry.digest === other.digest)
          return { ...rest, artifactType: mediaTypes.ociEmpty };
        return entry.digest === none.digest ? rest : entry;
      }),
    };
    at.registry.addManifest(
      "a/b",
      { mediaType: mediaTypes.ociIndex, bytes: encodeJson(index) },
      fallbackTag(subject.digest),
    );
    const found = await at.list({ artifactType: "application/vnd.wanted" });
    assert.deepEqual(digests(found), digests([right, wrong, none]));
    assert.ok(found.every(({ artifactType }) => artifactType === "application/vnd.wanted"));
  });

  test("a tag of a referrer enters it as well", async () => {
    const at = setup({ referrers: false });
    const artifact = sampleArtifact({ subject });
    put(at.registry, "a/b", undefined, artifact);
    await at.repository.tag(artifact.root, "signature");
    assert.deepEqual(digests(await at.list()), [artifact.root.digest]);
  });

  test("what refers to nothing leaves no tag", async () => {
    const at = setup({ referrers: false });
    await at.repository.tag(image.root, "v2");
    assert.deepEqual(at.registry.tags("a/b"), ["v1", "v2"]);
  });
});
