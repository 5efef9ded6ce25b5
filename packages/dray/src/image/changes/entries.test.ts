import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  memoryRegistry,
  put,
  type Sample,
  type SampleImage,
  sampleArtifact,
  sampleImage,
  sampleIndex,
} from "@dray/testkit";
import { against } from "../../../test/registry-client.ts";
import { readJson } from "../../content/index.ts";
import { copy } from "../../copy/index.ts";
import { isDrayError } from "../../errors.ts";
import { type Descriptor, type Index, mediaTypes } from "../../oci/index.ts";
import {
  allOf,
  byDigest,
  byPlatform,
  type Change,
  edit,
  emptyIndex,
  type Image,
  type ImageIndex,
  randomImage,
  validate,
  viewOf,
} from "../index.ts";
import { entriesAnnotated, entriesAppended, entriesKept, entriesRemoved } from "./index.ts";

const sample = sampleIndex({
  seed: "entries",
  platforms: ["linux/amd64", "linux/arm64", "windows/amd64"],
  attestations: true,
});
const [amd64, arm64, windows] = sample.images.map(({ root }) => root) as [Descriptor, Descriptor, Descriptor];
const registry = memoryRegistry();
put(registry, "app", "1", sample);
const { client, log } = against(registry);
const app = client.repository("app");

const view = async (): Promise<ImageIndex> => (await viewOf(app, await app.resolve("1"))) as ImageIndex;
const digestsAfter = async (change: Change): Promise<(string | undefined)[]> => {
  const made = await edit(await view(), change);
  const { manifests } = await readJson<Index>(made.store, made.root);
  return manifests.map(({ digest, annotations }) => annotations?.["vnd.docker.reference.digest"] ?? digest);
};

describe("entries of an index", () => {
  test("what is kept keeps its attestations, what is removed takes them along", async () => {
    const rows: readonly [Change, readonly Descriptor[]][] = [
      [entriesKept(byPlatform("linux/arm64")), [arm64, arm64]],
      [entriesKept(byPlatform("linux")), [amd64, arm64, amd64, arm64]],
      [entriesKept(byDigest(windows.digest)), [windows, windows]],
      [entriesKept(() => true), [amd64, arm64, windows, amd64, arm64, windows]],
      [entriesRemoved(byPlatform("linux")), [windows, windows]],
      [entriesRemoved(byDigest(amd64.digest)), [arm64, windows, arm64, windows]],
    ];
    for (const [change, left] of rows)
      assert.deepEqual(
        await digestsAfter(change),
        left.map(({ digest }) => digest),
      );
    assert.equal(
      (
        await edit(
          await view(),
          entriesKept(() => true),
        )
      ).root.digest,
      sample.root.digest,
    );
  });

  test("what is kept keeps the artifacts about it, what is removed takes them along, and what says something about those", async () => {
    const platforms = { seed: "subjects", platforms: ["linux/amd64", "linux/arm64"] };
    const [one, two] = sampleIndex(platforms).images as [SampleImage, SampleImage];
    const signatures = [one, two].map(({ root }, i) => sampleArtifact({ seed: `signature/${i}`, subject: root }));
    const ofFirst = sampleArtifact({ seed: "of the signature", subject: signatures[0]?.root as Descriptor });
    const ofNothing = sampleArtifact({ seed: "of nothing" });
    const whole = sampleIndex({ ...platforms, more: [ofFirst, ...signatures, ofNothing] });
    put(registry, "subjects", "1", whole);
    const subjects = client.repository("subjects");
    const index = (await viewOf(subjects, whole.root)) as ImageIndex;
    const left = async (change: Change, of = index): Promise<readonly string[]> => {
      const { store, root } = await edit(of, change);
      return (await readJson<Index>(store, root)).manifests.map(({ digest }) => digest);
    };
    const digests = (...samples: readonly (Sample | undefined)[]) => samples.map((each) => each?.root.digest);
    const [ofOne, ofTwo] = signatures;
    assert.deepEqual(await left(entriesKept(byPlatform("linux/amd64"))), digests(one, ofFirst, ofOne));
    assert.deepEqual(await left(entriesKept(byDigest(two.root.digest))), digests(two, ofTwo));
    assert.deepEqual(await left(entriesRemoved(byPlatform("linux/amd64"))), digests(two, ofTwo, ofNothing));
    const both = allOf(entriesRemoved(byDigest(ofTwo?.root.digest as string)), entriesKept(byPlatform("linux")));
    assert.deepEqual(await left(both), digests(one, two, ofFirst, ofOne));
    // What an index names and its registry does not have is about nobody knows what.
    const missing = sampleArtifact({ seed: "missing" });
    const sparse = await edit(index, {
      index: (document) => ({ ...document, manifests: [...(document["manifests"] as object[]), missing.root] }),
    });
    const view = (await viewOf(sparse.store, sparse.root)) as ImageIndex;
    const stays = digests(one, ofFirst, ofOne, ofNothing, missing);
    assert.deepEqual(await left(entriesRemoved(byPlatform("linux/arm64")), view), stays);
  });

  test("what is named by nobody is an error, and so is an image", async () => {
    for (const change of [
      entriesKept(byPlatform("linux/s390x")),
      entriesRemoved(byDigest()),
      entriesAnnotated(byDigest(), {}),
    ]) {
      await assert.rejects(edit(await view(), change), (error) => isDrayError(error, "NOT_FOUND"));
      await assert.rejects(edit(await viewOf(app, amd64), change), (error) => isDrayError(error, "USAGE"));
    }
  });

  test("are annotated, and nothing below is read", async () => {
    const index = await view();
    const before = log.entries.length;
    const made = await edit(index, entriesAnnotated(byDigest(arm64.digest), { a: "1" }));
    const { manifests } = await readJson<Index>(made.store, made.root);
    assert.deepEqual(
      manifests.map(({ annotations }) => annotations?.["a"]),
      [undefined, "1", undefined, undefined, undefined, undefined],
    );
    const gone = await edit(
      await viewOf(made.store, made.root),
      entriesAnnotated(() => true, { a: null }),
    );
    assert.equal(gone.root.digest, sample.root.digest);
    assert.equal(log.entries.length, before);
  });

  test("are appended from other stores, with the platforms that they say, and arrive whole", async () => {
    const other = sampleImage({ seed: "entries/other", platform: { os: "linux", architecture: "arm", variant: "v7" } });
    put(registry, "other", "1", other);
    const image = (await viewOf(client.repository("other"), other.root)) as Image;
    const random = await randomImage({ seed: "r", platform: { os: "plan9", architecture: "mips" } });
    const { store, root } = await entriesAppended(await emptyIndex(), [image, await view(), random, image]);
    const { manifests } = await readJson<Index>(store, root);
    const platforms = manifests.map(({ platform }) => platform?.architecture);
    assert.deepEqual(platforms, ["arm", "amd64", "arm64", "amd64", "unknown", "unknown", "unknown", "mips"]);
    assert.deepEqual(manifests[0]?.platform, { os: "linux", architecture: "arm", variant: "v7" });
    const target = client.repository("target");
    await copy({ store, name: root.digest, location: "" }, { store: target, name: "1", location: "" });
    assert.deepEqual((await validate(target, root)).findings, []);
    const [layer] = other.layers;
    assert.ok(log.select({ method: "POST", target: `mount=${layer?.digest}&from=other` }).length > 0);
    const again = await entriesAppended((await viewOf(target, root)) as ImageIndex, [image, random]);
    assert.equal(again.root, root);
  });

  test("an index is one entry where that is wanted; Docker's list stays one", async () => {
    const base = await emptyIndex({ form: "docker" });
    const { store, root } = await entriesAppended(base, [await view()], { flatten: false });
    assert.equal(root.mediaType, mediaTypes.dockerList);
    const { mediaType, digest, size } = sample.root;
    assert.deepEqual((await readJson<Index>(store, root)).manifests, [{ mediaType, digest, size }]);
  });
});
