import assert from "node:assert/strict";
import { test } from "node:test";
import { DrayError, isDrayError } from "../errors.ts";
import { annotationKeys, type Descriptor, digestOf, encodeJson, mediaTypes } from "../oci/index.ts";
import { bytesContent } from "./bytes.ts";
import { loadManifest } from "./manifest.ts";
import { memoryStore } from "./memory.ts";
import { selectPlatforms } from "./select.ts";

const store = memoryStore();
const keep = (value: unknown, mediaType: string): Promise<Descriptor> =>
  store.ingest(bytesContent(encodeJson(value)), { mediaType });

/** An image whose configuration says its platform, and whose entry in an index may say nothing. */
const image = async (architecture: string | undefined, extra: object = {}): Promise<Descriptor> => {
  const config = await keep(architecture === undefined ? {} : { os: "linux", architecture }, mediaTypes.ociConfig);
  const manifest = { schemaVersion: 2, mediaType: mediaTypes.ociManifest, config, layers: [] };
  return { ...(await keep(manifest, mediaTypes.ociManifest)), ...extra };
};
const index = (...manifests: Descriptor[]): Promise<Descriptor> =>
  keep({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests }, mediaTypes.ociIndex);
const chosen = async (root: Descriptor, ...platforms: string[]) =>
  (await selectPlatforms(store, root, platforms)).root.digest;

test("a child without a platform has the one that its configuration says", async () => {
  const [amd64, arm64] = [await image("amd64"), await image("arm64")];
  const root = await index(amd64, arm64);
  assert.equal(await chosen(root, "linux/amd64"), amd64.digest);
  assert.equal(await chosen(root, "linux/arm64"), arm64.digest);
  await assert.rejects(chosen(root, "linux/s390x"), (error) => {
    assert.match((error as Error).message, /it has linux\/amd64, linux\/arm64/);
    return isDrayError(error, "NOT_FOUND");
  });
  const both = await selectPlatforms(store, root, ["linux/amd64", "linux/arm64"]);
  assert.deepEqual([both.root.digest, both.trimmed], [root.digest, false]);
});

test("one that says its platform counts before those that do not", async () => {
  const [silent, said] = [await image("amd64"), await image("amd64", { annotations: { a: "b" } })];
  const root = await index(silent, { ...said, platform: { os: "linux", architecture: "amd64" } });
  assert.equal((await selectPlatforms(store, root, ["linux/amd64"])).root.annotations?.["a"], "b");
});

test("a lone child whose configuration says nothing serves; attestations and artifacts are no images", async () => {
  const lone = await image(undefined);
  const annotations = { [annotationKeys.attestationType]: "attestation-manifest" };
  const attestation = await image("amd64", { annotations });
  const artifact = await image("amd64", { artifactType: "application/spdx+json" });
  assert.equal(await chosen(await index(lone), "linux/amd64"), lone.digest);
  for (const other of [attestation, artifact])
    await assert.rejects(chosen(await index(other), "linux/amd64"), (error) => isDrayError(error, "NOT_FOUND"));
});

test("an index without a platform among the children has those of the images in it, however deep, and is looked into once", async () => {
  const said = (architecture: string) => ({ platform: { os: "linux", architecture } });
  const [amd64, arm64, s390x] = [await image("amd64", said("amd64")), await image("arm64"), await image("s390x")];
  const attestation = await image("amd64", {
    platform: { os: "unknown", architecture: "unknown" },
    annotations: { [annotationKeys.attestationType]: "attestation-manifest" },
  });
  const [first, second] = [await index(amd64, attestation), await index(await index(arm64, s390x))];
  const root = await index(first, second);
  for (const [platform, { digest }] of Object.entries({ amd64, arm64, s390x }))
    assert.equal(await chosen(root, `linux/${platform}`), digest);
  await assert.rejects(chosen(root, "linux/ppc64le"), /it has linux\/amd64, linux\/arm64, linux\/s390x/);
  const both = await selectPlatforms(store, root, ["linux/amd64", "linux/arm64"]);
  assert.deepEqual([both.root.digest, both.trimmed], [root.digest, false]);
  const { parsed } = await loadManifest(
    ...(({ store, root }) => [store, root] as const)(
      await selectPlatforms(store, root, ["linux/arm64", "linux/s390x"]),
    ),
  );
  assert.deepEqual(parsed.kind === "index" && parsed.index.manifests.map(({ digest }) => digest), [second.digest]);

  let deep = first;
  for (let level = 0; level < 10; level++) deep = await index(...Array.from({ length: 50 }, () => deep));
  assert.equal(await chosen(deep, "linux/amd64"), amd64.digest);
});

test("configurations of many are read some at a time, and a fault that is not theirs is none of them", async () => {
  const others = await Promise.all(Array.from({ length: 100 }, (_, i) => image(`arch${i}`)));
  const wanted = await image("arm64");
  const root = await index(...others, wanted);
  let [open, most] = [0, 0];
  const counting = Object.create(store, {
    read: {
      value: async function* (...asked: Parameters<typeof store.read>) {
        most = Math.max(most, ++open);
        await new Promise((resolve) => setImmediate(resolve));
        yield* store.read(...asked);
        open--;
      },
    },
  }) as typeof store;
  assert.equal((await selectPlatforms(counting, root, ["linux/arm64"])).root.digest, wanted.digest);
  assert.ok(most <= 16, `${most} at a time`);
  for (const [code, ends] of [
    ["DISK", "DISK"],
    ["NETWORK", "NETWORK"],
    ["DIGEST_MISMATCH", "NOT_FOUND"],
  ] as const) {
    const failing = Object.create(store, {
      read: {
        value: (...asked: Parameters<typeof store.read>) => {
          if (asked[0].digest === wanted.digest) throw new DrayError(code, "it fails");
          return store.read(...asked);
        },
      },
    }) as typeof store;
    await assert.rejects(selectPlatforms(failing, root, ["linux/arm64"]), (error) => isDrayError(error, ends), code);
  }
});

test("several platforms keep the artifacts whose subject they are, and what is about those; what is missing is about nothing", async () => {
  const said = (architecture: string) => ({ platform: { os: "linux", architecture } });
  const [amd64, arm64] = [await image("amd64", said("amd64")), await image("arm64", said("arm64"))];
  const s390x = await image("s390x", said("s390x"));
  const about = async ({ mediaType, digest, size }: Descriptor): Promise<Descriptor> => {
    const config = await keep({}, mediaTypes.ociEmpty);
    const subject = { mediaType, digest, size };
    const artifact = {
      schemaVersion: 2,
      mediaType: mediaTypes.ociManifest,
      artifactType: "a/b",
      config,
      layers: [],
      subject,
    };
    return keep(artifact, mediaTypes.ociManifest);
  };
  const [ofAmd64, ofS390x] = [await about(amd64), await about(s390x)];
  const ofArtifact = await about(ofAmd64);
  const missing = { ...ofArtifact, digest: digestOf(new Uint8Array(7)) };
  const root = await index(ofArtifact, amd64, arm64, s390x, ofAmd64, ofS390x, missing);
  const { store: over, root: trimmed } = await selectPlatforms(store, root, ["linux/amd64", "linux/arm64"]);
  const { parsed } = await loadManifest(over, trimmed);
  assert.ok(parsed.kind === "index");
  assert.deepEqual(
    parsed.index.manifests.map(({ digest }) => digest),
    [ofArtifact, amd64, arm64, ofAmd64].map(({ digest }) => digest),
  );
  assert.equal(await chosen(root, "linux/amd64"), amd64.digest);
});
