/** What a typing error costs: each line that is expected not to compile misspells one member. `check:types` compiles this file. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  annotationKeys,
  type Content,
  type CopyOptions,
  connect,
  copy,
  type Descriptor,
  digestOf,
  dockerArchive,
  type ImageIndex,
  isDrayError,
  layoutStore,
  type Manifest,
  mediaTypes,
  memoryStore,
  type OpenOptions,
  open,
  openImage,
  type Platform,
  packManifest,
  parsePlatform,
  put,
  putManifest,
  validate,
  viewOf,
  type WantedPlatform,
} from "./index.ts";
import { wantedPlatform } from "./oci/index.ts";

const located = { store: memoryStore(), name: "1", location: "memory:" };
const digest = digestOf(new Uint8Array());
const size = 0;
const mediaType = mediaTypes.ociManifest;
const config: Descriptor = { mediaType, digest, size };

/** Compiled, never called. */
export const misspelt = async (index: ImageIndex): Promise<readonly unknown[]> => [
  // @ts-expect-error architecture
  await index.image({ os: "linux", arch: "arm64" }),
  // @ts-expect-error architecture
  await copy(located, located, { platforms: [{ os: "linux", arch: "arm64" }] }),
  // @ts-expect-error platforms
  await copy(located, located, { platform: ["linux/arm64"] }),
  // @ts-expect-error verify
  { verfy: true } satisfies CopyOptions,
  // @ts-expect-error os
  { OS: "linux", architecture: "arm64" } satisfies WantedPlatform,
  // @ts-expect-error variant
  { os: "linux", architecture: "arm64", varient: "v8" } satisfies Platform,
  // @ts-expect-error annotations
  { mediaType, digest, size, anotations: { [annotationKeys.refName]: "1" } } satisfies Descriptor,
  // @ts-expect-error digest
  config.diggest,
  // @ts-expect-error platform
  { ...config, platfrom: { os: "linux", architecture: "arm64" } } satisfies Descriptor,
  // @ts-expect-error annotations
  { schemaVersion: 2, config, layers: [], annotation: {} } satisfies Manifest,
  // @ts-expect-error credentials
  connect("registry.test", { credential: undefined }),
  // @ts-expect-error headers
  connect("registry.test", { header: {} }),
  // @ts-expect-error a purpose
  connect("registry.test", { allowHost: (_url, purpose) => purpose !== "tokens" }),
  // @ts-expect-error fail or anonymous
  connect("registry.test", { whenRefused: "anonymously" }),
  // @ts-expect-error concurrency
  connect("registry.test", { budget: { concurency: 1 } }),
  // @ts-expect-error insecure
  connect("registry.test", { insecur: true }),
  // @ts-expect-error defaultRegistry
  await open("alpine", { defaultRegistri: "docker.io" } satisfies OpenOptions),
  // @ts-expect-error fs
  layoutStore("dir", { filesystem: undefined }),
  // @ts-expect-error artifactType
  packManifest({ artefactType: "a/b" }),
  // @ts-expect-error layers
  await putManifest(located.store, { schemaVersion: 2, config, layer: [] }),
  // @ts-expect-error mediaType
  await put(located.store, new Uint8Array(), { mediatype: "a/b" }),
  // @ts-expect-error an offset lies among compressed bytes
  (await (await index.image("linux")).layers())[0]?.uncompressed({ offset: 1 }),
  // @ts-expect-error Labels
  (await (await index.image("linux")).config()).config?.labels,
  // @ts-expect-error ifMatch
  await connect("registry.test").repository("a").tag(config, "1", { ifmatch: "x" }),
  // @ts-expect-error nothing where it still is what was known
  (await connect("registry.test").repository("a").manifest("1", { ifNoneMatch: "x" })).bytes,
  // @ts-expect-error pageSize
  connect("registry.test").catalog({ page: 5 }),
  // @ts-expect-error platform
  await openImage("alpine", { platforms: "linux" }),
  // @ts-expect-error input
  dockerArchive("file.tar", { in: undefined }),
  // @ts-expect-error fast
  await validate(located.store, config, { quick: true }),
  // @ts-expect-error size
  { length: 1, open: async function* () {} } satisfies Content,
];

describe("a platform from a program without types", () => {
  const wanted = { os: "linux", arch: "arm64" } as WantedPlatform;
  const platform: Platform = { os: "linux", architecture: "amd64" };

  const store = memoryStore();
  const index = async (): Promise<ImageIndex> => {
    const document = { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [{ ...config, platform }] };
    const bytes = new TextEncoder().encode(JSON.stringify(document));
    const content: Content = {
      open: async function* () {
        yield bytes;
      },
    };
    const root = await store.ingest(content, { mediaType: mediaTypes.ociIndex });
    await store.tag(root, "1");
    const view = await viewOf(store, root);
    assert.ok(view.kind === "index");
    return view;
  };
  const isUsage = (error: unknown): boolean =>
    isDrayError(error, "USAGE") && /no member "arch"; it has os, architecture/.test(error.message);

  test("is refused where it has a member that means nothing, or no os", async () => {
    const view = await index();
    await assert.rejects(view.image(wanted), isUsage);
    await assert.rejects(
      copy({ ...located, store }, { ...located, store: memoryStore() }, { platforms: [wanted] }),
      isUsage,
    );
    await assert.rejects(view.image({ architecture: "amd64" } as WantedPlatform), (error) =>
      isDrayError(error, "USAGE"),
    );
  });

  test("may be that of an index's entry, with members of its maker's own", async () => {
    const own = { ...platform, "com.example.tuned": "yes" };
    assert.equal(wantedPlatform(own), own);
    // It is chosen, and its content is nowhere.
    const options = { platforms: [own] };
    const copied = copy({ ...located, store }, { ...located, store: memoryStore() }, options);
    await assert.rejects(copied, (error) => isDrayError(error, "NOT_FOUND"));
  });

  test("is taken as text, too", async () => {
    const view = await index();
    await assert.rejects(view.image("linux/arm64"), (error) => isDrayError(error, "NOT_FOUND"));
    await assert.rejects(view.image("linux/a/b/c"), (error) => isDrayError(error, "PLATFORM_INVALID"));
    assert.deepEqual(parsePlatform("linux/amd64"), platform);
  });
});
