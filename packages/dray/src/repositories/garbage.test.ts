import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  googleListing,
  type MemoryRegistry,
  memoryRegistry,
  put,
  RequestLog,
  type Sample,
  sampleArtifact,
  sampleImage,
  sampleIndex,
} from "@dray/testkit";
import { clientOf } from "../../test/registry-client.ts";
import type { Digest } from "../oci/index.ts";
import type { Repository } from "../registry/index.ts";
import { type GarbageOptions, garbageIn, removeGarbage, untaggedIn } from "./garbage.ts";

const day = 86_400_000;
const now = Date.UTC(2026, 5, 1);
const name = "team/app";

/** The samples of a repository, in words. */
const samples = () => {
  const image = sampleImage({ seed: "tagged" });
  const index = sampleIndex({ seed: "index" });
  const oldIndex = sampleIndex({ seed: "old index" });
  const oldImage = sampleImage({ seed: "old" });
  return {
    image,
    signature: sampleArtifact({ seed: "sig", subject: image.root }),
    index,
    attestation: sampleArtifact({ seed: "att", subject: (index.images[0] as Sample).root }),
    young: sampleImage({ seed: "young" }),
    youngIndex: sampleIndex({ seed: "young index", platforms: ["linux/arm64"] }),
    oldImage,
    oldSignature: sampleArtifact({ seed: "old sig", subject: oldImage.root }),
    signatureOfThat: sampleArtifact({
      seed: "old sig sig",
      subject: sampleArtifact({ seed: "old sig", subject: oldImage.root }).root,
    }),
    oldIndex,
    orphan: sampleArtifact({ seed: "orphan", subject: sampleImage({ seed: "gone" }).root }),
  } satisfies Record<string, Sample>;
};

/** A registry in Google's form in which all of them lie. */
const google = (): {
  readonly memory: MemoryRegistry;
  readonly log: RequestLog;
  readonly repository: Repository;
  readonly all: ReturnType<typeof samples>;
} => {
  const all = samples();
  const memory = memoryRegistry();
  const tagged = new Set(["image", "index"]);
  for (const [what, sample] of Object.entries(all)) put(memory, name, tagged.has(what) ? what : undefined, sample);
  const young = new Set([...all.young.manifests.keys(), all.youngIndex.root.digest]);
  const uploaded = (_: string, digest: Digest): number => now - (young.has(digest) ? day / 2 : 30 * day);
  const log = new RequestLog();
  const client = clientOf(log.middleware(googleListing(memory, { uploaded })(memory.handler)));
  return { memory, log, repository: client.repository(name), all };
};

const garbage = async (repository: Repository, options: GarbageOptions = {}): Promise<readonly Digest[]> => {
  const { unneeded, held } = await garbageIn(repository, await repository.contents(), { now: () => now, ...options });
  assert.equal(held, undefined);
  return unneeded.map(({ digest }) => digest);
};

describe("where a registry lists its manifests", () => {
  test("untagged is what has no tag, by one request", async () => {
    const { memory, log, repository } = google();
    const found = await untaggedIn(repository, await repository.contents());
    const expected = memory
      .manifests(name)
      .filter((digest) => !["image", "index"].some((tag) => memory.manifest(name, tag)?.digest === digest));
    assert.deepEqual(found.map(({ digest }) => digest).sort(), expected);
    assert.equal(log.entries.length, 1);
  });

  test("unneeded is what no tag, no index that is needed and no youth keeps, nor something needed that it is about", async () => {
    const { repository, all } = google();
    const { oldImage, oldSignature, signatureOfThat, oldIndex, orphan } = all;
    const unneeded = [oldImage, oldSignature, signatureOfThat, orphan].map(({ root }) => root.digest);
    const ofIndex = [oldIndex.root, ...oldIndex.images.map(({ root }) => root)].map(({ digest }) => digest);
    assert.deepEqual([...(await garbage(repository))].sort(), [...unneeded, ...ofIndex].sort());
    const alsoYoung = [all.young, all.youngIndex, ...all.youngIndex.images].map(({ root }) => root.digest);
    for (const options of [{ grace: 0 }, { grace: day / 4 }])
      assert.deepEqual(
        [...(await garbage(repository, options))].sort(),
        [...unneeded, ...ofIndex, ...alsoYoung].sort(),
      );
    assert.deepEqual(await garbage(repository, { grace: 60 * day }), []);
  });

  test("is deleted in an order that the registry takes, and the rest stays whole", async () => {
    const { memory, repository, all } = google();
    const before = memory.manifests(name).length;
    const found = await garbageIn(repository, await repository.contents(), { now: () => now });
    const told: Digest[] = [];
    const removed = await removeGarbage(repository, found, { onRemoved: ({ digest }) => void told.push(digest) });
    assert.deepEqual(removed, found.unneeded);
    assert.deepEqual(
      told,
      found.unneeded.map(({ digest }) => digest),
    );
    assert.equal(memory.manifests(name).length, before - removed.length);
    for (const sample of [all.image, all.signature, all.index, all.attestation, all.young, all.youngIndex])
      for (const digest of sample.manifests.keys()) assert.ok(memory.manifest(name, digest), digest);
    assert.deepEqual(await garbage(repository), []);
  });

  test("what got a tag meanwhile stays, and all else this time", async () => {
    const { memory, repository, all } = google();
    const found = await garbageIn(repository, await repository.contents(), { now: () => now });
    memory.addTags(name, ["again"], all.oldImage.root.digest);
    const before = memory.manifests(name);
    assert.deepEqual(await removeGarbage(repository, found), []);
    assert.deepEqual(memory.manifests(name), before);
    assert.ok(!(await garbage(repository)).includes(all.oldSignature.root.digest));
  });

  for (const tags of [["release"], []])
    test(`an index that comes meanwhile ${tags.length > 0 ? "with" : "without"} a tag keeps the images that it names`, async () => {
      const { memory, repository, all } = google();
      const found = await garbageIn(repository, await repository.contents(), { now: () => now });
      assert.ok(found.unneeded.some(({ digest }) => digest === all.oldImage.root.digest));
      const bytes = new TextEncoder().encode(JSON.stringify({ schemaVersion: 2, manifests: [all.oldImage.root] }));
      const index = memory.addManifest(name, { mediaType: all.index.root.mediaType, bytes });
      memory.addTags(name, tags, index);
      const before = memory.manifests(name);
      assert.deepEqual(await removeGarbage(repository, found), []);
      assert.deepEqual(memory.manifests(name), before);
    });

  test("a damaged index holds everything, and a damaged manifest itself", async () => {
    const { memory, repository, all } = google();
    const text = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));
    const image = memory.addManifest(name, {
      mediaType: all.image.root.mediaType,
      bytes: text({ schemaVersion: 2, layers: 7 }),
    });
    const found = await garbage(repository, { grace: 0 });
    assert.ok(found.length > 0 && !found.includes(image));
    memory.addManifest(name, { mediaType: all.index.root.mediaType, bytes: text({ schemaVersion: 2, manifests: 7 }) });
    const { unneeded, held } = await garbageIn(repository, await repository.contents(), { grace: 0 });
    assert.deepEqual(unneeded, []);
    assert.match(held ?? "", /manifests/);
  });
});

describe("where a registry lists tags alone", () => {
  for (const referrers of [true, false])
    test(`${referrers ? "with" : "without"} the referrers API: what tags lead to is untagged, what deleted images left is unneeded`, async () => {
      const memory = memoryRegistry({ referrers });
      const client = clientOf(memory.handler);
      const repository = client.repository(name);
      const all = samples();
      put(memory, name, "image", all.image);
      put(memory, name, "index", all.index);
      const gone = sampleImage({ seed: "gone" });
      const cosign = (subject: Sample, suffix: string): string => `${subject.root.digest.replace(":", "-")}${suffix}`;
      put(memory, name, cosign(all.image, ".sig"), sampleArtifact({ seed: "cosign" }));
      const left = put(memory, name, cosign(gone, ".sig"), sampleArtifact({ seed: "cosign of gone" }));
      // A tag that somebody gave it by hand.
      put(memory, name, cosign(gone, ".att"), sampleArtifact({ seed: "kept" }));
      put(memory, name, "kept", sampleArtifact({ seed: "kept" }));
      const { signature, orphan } = all;
      for (const { root, manifests, blobs } of [signature, orphan]) {
        for (const bytes of blobs.values()) memory.addBlob(name, bytes);
        await repository.putManifest(JSON.parse(new TextDecoder().decode(manifests.get(root.digest)?.bytes)));
      }
      const digestsOf = (found: readonly { digest: Digest }[]): string[] => found.map(({ digest }) => digest).sort();
      const inIndex = all.index.images.map(({ root }) => root);
      const found = await untaggedIn(repository, await repository.contents());
      // Without the API the list of a deleted image's referrers has a tag, which leads to them.
      const expected = [...inIndex, signature.root, ...(referrers ? [] : [orphan.root])];
      assert.deepEqual(digestsOf(found), digestsOf(expected));
      assert.deepEqual(await garbage(repository), []);
      const contents = await repository.contents();
      const { unneeded } = await garbageIn(repository, contents, { grace: 0 });
      const list = memory.manifest(name, cosign(gone, ""))?.digest;
      assert.deepEqual(
        unneeded.map(({ digest }) => digest).sort(),
        [left.digest, ...(list === undefined ? [] : [list, orphan.root.digest])].sort(),
      );
      await removeGarbage(repository, { unneeded });
      assert.deepEqual(
        (await repository.contents()).tags.filter((tag) => tag.startsWith(cosign(gone, ""))),
        [cosign(gone, ".att")],
      );
      for (const sample of [all.image, all.index, signature])
        for (const digest of sample.manifests.keys()) assert.ok(memory.manifest(name, digest), digest);
      await client.close();
    });

  const meanwhile: readonly [what: string, act: (memory: MemoryRegistry, gone: Sample, left: Digest) => void][] = [
    ["the image comes again under a tag that is there", (memory, gone) => void put(memory, name, "image", gone)],
    ["the image comes again without a tag", (memory, gone) => void put(memory, name, undefined, gone)],
    ["a tag that is there is moved to it", (memory, _, left) => memory.addTags(name, ["image"], left)],
    [
      "a tag that is there becomes an index of it",
      (memory, _, left) => memory.addTags(name, ["image"], indexOf(memory, left)),
    ],
  ];
  const indexOf = (memory: MemoryRegistry, digest: Digest): Digest => {
    const { mediaType, bytes } = memory.manifest(name, digest) as NonNullable<ReturnType<typeof memory.manifest>>;
    const child = { mediaType, digest, size: bytes.byteLength };
    const index = new TextEncoder().encode(JSON.stringify({ schemaVersion: 2, manifests: [child] }));
    return memory.addManifest(name, { mediaType: sampleIndex({}).root.mediaType, bytes: index });
  };
  for (const [what, act] of meanwhile)
    test(`what is left of an image stays where meanwhile ${what}`, async () => {
      const memory = memoryRegistry();
      const client = clientOf(memory.handler);
      const repository = client.repository(name);
      const gone = sampleImage({ seed: "gone" });
      put(memory, name, "image", sampleImage({ seed: "tagged" }));
      const left = put(memory, name, `${gone.root.digest.replace(":", "-")}.sig`, sampleArtifact({ seed: "cosign" }));
      const found = await garbageIn(repository, await repository.contents(), { grace: 0 });
      assert.deepEqual(
        found.unneeded.map(({ digest }) => digest),
        [left.digest],
      );
      act(memory, gone, left.digest);
      assert.deepEqual(await removeGarbage(repository, found), []);
      assert.ok(memory.manifest(name, left.digest));
      await client.close();
    });

  test("what is left of an image goes where nothing has come, tags that went or not", async () => {
    const memory = memoryRegistry();
    const client = clientOf(memory.handler);
    const repository = client.repository(name);
    const gone = sampleImage({ seed: "gone" });
    put(memory, name, "image", sampleImage({ seed: "tagged" }));
    const left = put(memory, name, `${gone.root.digest.replace(":", "-")}.sig`, sampleArtifact({ seed: "cosign" }));
    const found = await garbageIn(repository, await repository.contents(), { grace: 0 });
    await repository.remove("image");
    assert.deepEqual(await removeGarbage(repository, found), found.unneeded);
    assert.equal(memory.manifest(name, left.digest), undefined);
    await client.close();
  });
});
