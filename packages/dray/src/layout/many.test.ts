import assert from "node:assert/strict";
import { test } from "node:test";
import { temporaryFolder } from "@dray/testkit/files";
import { attach, memoryStore, putManifest } from "../content/index.ts";
import { type FileSystem, nodeFiles } from "../files/index.ts";
import { type Descriptor, packManifest } from "../oci/index.ts";
import { directoryFiles } from "./directory.ts";
import { LayoutGraph } from "./graph.ts";
import { IndexOverview } from "./overview.ts";
import { layoutPaths } from "./paths.ts";
import { LayoutReader } from "./reader.ts";
import { layoutStore } from "./store.ts";

/** A file system that counts how often the index is read. */
const counting = (): { fs: FileSystem; reads: () => number } => {
  let reads = 0;
  const readFile: FileSystem["readFile"] = (path) => {
    if (path.endsWith("index.json")) reads++;
    return nodeFiles.readFile(path);
  };
  return { fs: { ...nodeFiles, readFile }, reads: () => reads };
};

const note = (text: string): ReturnType<typeof packManifest> =>
  packManifest({ artifactType: "application/vnd.acme.note", annotations: { text } });

test("an index that stays as it is is read once, however many names are asked for; another's change is seen", async () => {
  const dir = temporaryFolder("many");
  const writer = layoutStore(dir);
  const names = Array.from({ length: 30 }, (_, i) => `v${i}`);
  const made: Descriptor[] = [];
  for (const name of names) made.push(await putManifest(writer, note(name), { tags: [name] }));
  await writer.close();
  const { fs, reads } = counting();
  const reader = layoutStore(dir, { fs });
  for (const [i, name] of names.entries()) {
    assert.equal((await reader.resolve(name)).digest, made[i]?.digest);
    assert.ok(await reader.has(made[i] as Descriptor));
  }
  assert.equal(reads(), 1);
  await putManifest(writer, note("later"), { tags: ["v0"] });
  await writer.close();
  assert.notEqual((await reader.resolve("v0")).digest, made[0]?.digest);
  assert.equal(reads(), 2);
});

test("what a layout writes itself it does not read again, and what others write between counts", async () => {
  const dir = temporaryFolder("own");
  const { fs, reads } = counting();
  const [store, other] = [layoutStore(dir, { fs }), layoutStore(dir)];
  for (let i = 0; i < 10; i++) await putManifest(store, note(`${i}`), { tags: [`v${i}`] });
  assert.equal(reads(), 0);
  await store.close();
  await putManifest(other, note("theirs"), { tags: ["theirs"] });
  await other.close();
  await putManifest(store, note("ours"), { tags: ["ours"] });
  await store.close();
  const found = await Array.fromAsync(layoutStore(dir).tags());
  assert.deepEqual(found, ["ours", "theirs", ...Array.from({ length: 10 }, (_, i) => `v${i}`)]);
});

test("a name of its own comes before one that containerd adds, and the last of several entries counts", async () => {
  const dir = temporaryFolder("named");
  const store = layoutStore(dir);
  const [first, second] = [
    await putManifest(store, note("1"), { tags: ["x"] }),
    await putManifest(store, note("2"), { tags: ["y"] }),
  ];
  await store.close();
  const file = `${dir}/index.json`;
  const index = JSON.parse(new TextDecoder().decode(await nodeFiles.readFile(file)));
  index.manifests[1].annotations["io.containerd.image.name"] = "x";
  index.manifests.push({ ...second, annotations: { "org.opencontainers.image.ref.name": "y" }, size: second.size });
  await nodeFiles.unlink(file);
  const handle = await nodeFiles.open(file, "w");
  const bytes = new TextEncoder().encode(JSON.stringify(index));
  await handle.write(bytes, 0, bytes.byteLength, 0);
  await handle.close();
  assert.equal((await store.resolve("x")).digest, first.digest);
  assert.equal((await store.resolve("y")).digest, second.digest);
});

test("what hangs on an index is walked once as long as nothing changes, and each time where something is missing", async () => {
  const dir = temporaryFolder("overview");
  const store = layoutStore(dir);
  const image = await putManifest(store, note("image"), { tags: ["1"] });
  await attach(store, image, { artifactType: "application/vnd.acme.signature" });
  await store.close();
  const reader = new LayoutReader(directoryFiles(nodeFiles, layoutPaths(dir)));
  const graph = new LayoutGraph(reader);
  const index = await reader.index();
  const overview = new IndexOverview(graph);
  const first = await overview.of(index, {});
  assert.equal(first.listed.size, 2);
  assert.equal(first.aboutSubject.get(image.digest)?.length, 1);
  assert.equal(await overview.of(index, {}), first);
  overview.forget();
  assert.notEqual(await overview.of(index, {}), first);
  const later = memoryStore();
  const absent = await putManifest(later, packManifest({ artifactType: "application/vnd.acme.note", subject: image }));
  const sparse = { ...index, manifests: [...index.manifests, absent] };
  const listed = async (): Promise<number> => (await overview.of(sparse, {})).listed.size;
  assert.deepEqual([await listed(), await listed()], [2, 2]);
  const other = layoutStore(dir);
  await other.write(absent, { open: () => later.read(absent) });
  await other.close({ abort: true });
  assert.equal(await listed(), 3, "what another process has brought is seen");
  assert.equal((await overview.of(sparse, {})).aboutSubject.get(image.digest)?.length, 2);
  assert.equal((await overview.of(index, {})).listed.size, 2);
});

test("a signature that was written and has no entry yet is found", async () => {
  const store = layoutStore(temporaryFolder("unlisted"));
  const image = await putManifest(store, note("image"), { tags: ["1"] });
  const signature = await attach(store, image, { artifactType: "application/vnd.acme.signature" });
  const digests = async (): Promise<string[]> => Array.fromAsync(store.referrers(image), ({ digest }) => digest);
  assert.deepEqual(await digests(), [signature.digest]);
  assert.ok(await store.has(signature));
  await store.close();
  assert.deepEqual(await digests(), [signature.digest]);
});

test("a name that may wait is read as soon as it is given, also while the index is being written", async () => {
  const dir = temporaryFolder("read-while-written");
  const began = Promise.withResolvers<void>();
  const goesOn = Promise.withResolvers<void>();
  let holds = false;
  const rename: FileSystem["rename"] = async (from, to) => {
    if (holds && to.endsWith("index.json")) {
      began.resolve();
      await goesOn.promise;
    }
    await nodeFiles.rename(from, to);
  };
  const store = layoutStore(dir, { fs: { ...nodeFiles, rename } });
  const [old, fresh] = [await putManifest(store, note("old"), { tags: ["x"] }), await putManifest(store, note("new"))];
  for (let i = 0; i < 8; i++) await store.tag(old, `v${i}`);
  for (const name of ["x", "z"]) await store.tag(fresh, name, { atClose: true });
  holds = true;
  const writing = store.tag(old, "y");
  await began.promise;
  const found = store.resolve("x");
  const names = Array.fromAsync(store.tags());
  setImmediate(() => goesOn.resolve());
  assert.equal((await found).digest, fresh.digest);
  assert.ok((await names).includes("z"));
  await writing;
  await store.close();
});
