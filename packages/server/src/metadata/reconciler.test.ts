import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryFolder } from "@dray/testkit/files";
import { DrayError } from "dray/errors";
import { KeyedRwLock } from "dray/internal/async";
import { type Digest, digestOf, encodeJson, mediaTypes } from "dray/oci";
import fc from "fast-check";
import { blobPath, currentLink, inspect, revisionFolder, Tree } from "../distribution-tree/index.ts";
import type { Driver } from "../storage/driver.ts";
import { filesystemDriver, type MemoryFiles, memoryDriver } from "../storage/index.ts";
import { Metadata } from "./metadata.ts";
import { Reconciler } from "./reconciler.ts";
import type { Difference } from "./records.ts";

const textBytes = (value: string): Uint8Array => new TextEncoder().encode(value);

const blobOf = (name: string): Digest => digestOf(textBytes(name));

/** A manifest of its own for each number, some with a subject. */
const manifestOf = (n: number): { bytes: Uint8Array; digest: Digest } => {
  const descriptor = (digest: Digest, mediaType: string): object => ({ mediaType, digest, size: 5 });
  const bytes = encodeJson({
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config: descriptor(blobOf("config"), mediaTypes.ociConfig),
    layers: [descriptor(blobOf(`layer ${n}`), "application/x")],
    ...(n % 3 === 1 ? { subject: descriptor(manifestOf(n - 1).digest, mediaTypes.ociManifest) } : {}),
  });
  return { bytes, digest: digestOf(bytes) };
};

/** Writes as another program does: to the tree alone. */
const putInTree = async (tree: Tree, repository: string, n: number, tags: readonly string[] = []): Promise<Digest> => {
  const { bytes, digest } = manifestOf(n);
  await tree.writeBlob(digest, bytes);
  await tree.linkRevision(repository, digest);
  for (const tag of tags) await tree.setTag(repository, tag, digest);
  return digest;
};

interface Place {
  readonly driver: Driver & MemoryFiles;
  readonly tree: Tree;
  readonly metadata: Metadata;
  readonly reconciler: Reconciler;
  readonly notices: string[];
}

const place = (
  options: { driver?: Driver & MemoryFiles; metadata?: Metadata; recheckAfter?: number; now?: () => number } = {},
): Place => {
  const driver = options.driver ?? memoryDriver();
  const tree = new Tree(driver);
  const notices: string[] = [];
  const metadata = options.metadata ?? new Metadata(":memory:", { onNotice: ({ message }) => notices.push(message) });
  const reconciler = new Reconciler({
    tree,
    metadata,
    now: options.now ?? Date.now,
    recheckAfter: options.recheckAfter ?? 0,
    onNotice: ({ message }) => notices.push(message),
  });
  return { driver, tree, metadata, reconciler, notices };
};

/** Writes as the registry does. */
const put = ({ tree, metadata, reconciler }: Place, repository: string, n: number, tags: readonly string[]) =>
  reconciler.repositories.write(
    repository,
    () => putInTree(tree, repository, n, tags),
    (digest) => {
      const { bytes } = manifestOf(n);
      metadata.putManifest(repository, { ...inspect(bytes).described, digest, size: bytes.byteLength, pushedAt: 1 });
      for (const name of tags) metadata.putTag(repository, { name, digest, at: 1 });
    },
  );

const untag = ({ tree, metadata, reconciler }: Place, repository: string, tag: string) =>
  reconciler.repositories.write(
    repository,
    () => tree.removeTag(repository, tag),
    () => metadata.removeTag(repository, tag),
  );

const remove = ({ tree, metadata, reconciler }: Place, repository: string, digest: Digest) =>
  reconciler.repositories.write(
    repository,
    () => tree.unlinkRevision(repository, digest),
    () => metadata.removeManifest(repository, digest),
  );

const differences = (reconciler: Reconciler): Promise<Difference[]> => Array.fromAsync(reconciler.check());

test("what lies in a tree is in the index when it is whole", async () => {
  const it = place();
  const digest = await putInTree(it.tree, "a/b", 1, ["v1", "v2"]);
  await putInTree(it.tree, "c", 2);
  assert.equal(it.reconciler.isComplete, false);
  assert.deepEqual(
    (await differences(it.reconciler)).map(({ kind, what }) => `${kind} ${what}`),
    ["repository missing", "tag missing", "tag missing", "manifest missing", "repository missing", "manifest missing"],
  );
  await it.reconciler.reconciled();
  assert.equal(it.reconciler.isComplete, true);
  assert.deepEqual(it.metadata.repositories({ limit: 9 }), ["a/b", "c"]);
  assert.deepEqual(it.metadata.tagsOf("a/b", digest), ["v1", "v2"]);
  const { bytes } = manifestOf(1);
  const { pushedAt, ...manifest } = it.metadata.manifest("a/b", digest) ?? assert.fail();
  const { sizes = [], ...said } = inspect(bytes).described;
  assert.deepEqual(manifest, { ...said, digest, size: bytes.byteLength });
  const kept = said.references.map((child) => it.metadata.sizesOf("a/b", child));
  assert.deepEqual(
    kept,
    sizes.map((size) => [size]),
  );
  assert.ok(pushedAt > 0);
  assert.deepEqual(await differences(it.reconciler), []);
  await it.reconciler.close();
});

test("a repository is looked at when it is asked for, without a start", async () => {
  const it = place();
  await putInTree(it.tree, "a", 1, ["v1"]);
  assert.equal(it.reconciler.repositories.isReconciled("a"), false);
  assert.equal(await it.reconciler.reconcile("a"), true);
  assert.equal(await it.reconciler.reconcile("b"), false);
  assert.equal(it.reconciler.repositories.isReconciled("a"), true);
  assert.equal(it.reconciler.repositories.isReconciled("b"), false);
  assert.deepEqual(
    it.metadata.tags("a", { limit: 9 }).map(({ name }) => name),
    ["v1"],
  );
  await it.reconciler.close();
});

type Step =
  | { readonly do: "put" | "foreign put"; readonly repository: string; readonly n: number; readonly tags: string[] }
  | { readonly do: "untag" | "foreign untag"; readonly repository: string; readonly tag: string }
  | { readonly do: "remove" | "failing put"; readonly repository: string; readonly n: number }
  | { readonly do: "foreign end" | "reconcile"; readonly repository: string }
  | { readonly do: "restart" | "lose" | "refresh" };

const repository = fc.constantFrom("a", "a/b", "a-b");
const tag = fc.constantFrom("v1", "v10", "v2", "V1");
const n = fc.nat(7);
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ do: fc.constantFrom("put", "foreign put"), repository, n, tags: fc.uniqueArray(tag, { maxLength: 2 }) }),
  fc.record({ do: fc.constantFrom("untag", "foreign untag"), repository, tag }),
  fc.record({ do: fc.constantFrom("remove", "failing put"), repository, n }),
  fc.record({ do: fc.constantFrom("foreign end", "reconcile"), repository }),
  fc.record({ do: fc.constantFrom("restart", "lose", "refresh") }),
) as fc.Arbitrary<Step>;

test("after any writes, ours side by side and others' between them, index and tree agree", async () => {
  const scenario = fc.record({
    rounds: fc.array(fc.record({ together: fc.array(step, { maxLength: 5 }), reconciles: fc.boolean() }), {
      maxLength: 6,
    }),
    started: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(scenario, async ({ rounds, started }) => {
      const driver = memoryDriver();
      const foreign = new Tree(driver);
      const metadata = new Metadata(":memory:");
      // The clock is far from the times of the files, so that a version is trusted as soon as it is seen.
      const now = (): number => Date.now() + 3_600_000;
      let it = place({ driver, metadata, now });
      if (started) it.reconciler.start();
      const locks = new KeyedRwLock();
      const perform = async (each: Step): Promise<void> => {
        switch (each.do) {
          case "put":
            await put(it, each.repository, each.n, each.tags);
            break;
          case "untag":
            await untag(it, each.repository, each.tag);
            break;
          case "remove":
            await remove(it, each.repository, manifestOf(each.n).digest);
            break;
          case "failing put":
            await it.reconciler.repositories.write(
              each.repository,
              () => putInTree(it.tree, each.repository, each.n, ["v2"]),
              () => {
                throw new Error("no");
              },
            );
            break;
          case "reconcile":
            await it.reconciler.reconcile(each.repository);
            break;
          case "refresh":
            await it.reconciler.refresh();
            break;
          default:
            break;
        }
      };
      for (const { together, reconciles } of rounds) {
        // As everywhere in the registry: of one tag or digest, one write at a time.
        await Promise.all(together.map((each) => locks.hold({ exclusive: namesOf(each) }, () => perform(each))));
        for (const each of together) {
          if (each.do === "foreign put") {
            // A tag that is only moved changes no directory: whoever reads it looks at its link.
            const names = await foreign.tagFolders(each.repository);
            const digest = manifestOf(each.n).digest;
            const known = (await foreign.revision(each.repository, digest)) !== undefined;
            if (known || (await hadFolder(driver, each.repository, digest))) continue;
            await putInTree(
              foreign,
              each.repository,
              each.n,
              each.tags.filter((name) => !names.includes(name)),
            );
          } else if (each.do === "foreign untag") await foreign.removeTag(each.repository, each.tag);
          else if (each.do === "foreign end") await driver.remove(`docker/registry/v2/repositories/${each.repository}`);
          else if (each.do === "lose") metadata.reset();
          else if (each.do === "restart") {
            await it.reconciler.close();
            it = place({ driver, metadata, now });
            if (started) it.reconciler.start();
          }
        }
        if (reconciles)
          for (const each of await Array.fromAsync(foreign.repositories())) {
            assert.equal(await it.reconciler.reconcile(each), true);
            assert.deepEqual(
              (await differences(it.reconciler)).filter((found) => found.repository === each),
              [],
            );
          }
      }
      for (const each of ["a", "a/b", "a-b"]) await it.reconciler.reconcile(each);
      await it.reconciler.reconciled();
      assert.deepEqual(await differences(it.reconciler), []);
      await it.reconciler.close();
    }),
    { numRuns: Number(process.env["DRAY_INDEX_RUNS"] ?? 150) },
  );
});

const namesOf = (each: Step): string[] => {
  const tags = "tags" in each ? each.tags : "tag" in each ? [each.tag] : each.do === "failing put" ? ["v2"] : [];
  const names = "n" in each ? [...tags, String(each.n)] : tags;
  return names.map((name) => `${"repository" in each ? each.repository : ""} ${name}`);
};

/** A deleted revision leaves its folder; another program's linking it again changes no directory above. */
const hadFolder = async (driver: Driver, repository: string, digest: Digest): Promise<boolean> =>
  (await driver.stat(revisionFolder(repository, digest))) !== undefined;

test("our own writes, also side by side, make nobody read the repository again", async () => {
  const it = place({ now: () => Date.now() + 3_600_000 });
  await putInTree(it.tree, "a", 1, ["v1"]);
  await it.reconciler.reconcile("a");
  let reads = 0;
  const read = it.driver.read.bind(it.driver);
  it.driver.read = (path) => {
    if (path === currentLink("a", "v1")) reads++;
    return read(path);
  };
  await it.reconciler.reconcile("a");
  const before = reads;
  await Promise.all(Array.from({ length: 20 }, (_, i) => put(it, "a", i + 2, [`t${i}`])));
  await untag(it, "a", "t3");
  it.metadata.removeTag("a", "v1");
  await it.reconciler.reconcile("a");
  assert.equal(it.metadata.tags("a", { limit: 99 }).length, 19, "what the index lacks shows that it was not scanned");
  assert.equal(reads, before);
  await it.reconciler.close();
});

test("what another program wrote just before us is not taken for ours", async () => {
  const it = place({ now: () => Date.now() + 3_600_000 });
  await putInTree(it.tree, "a", 1, ["v1"]);
  await it.reconciler.reconcile("a");
  await putInTree(it.tree, "a", 2, ["foreign"]);
  await Promise.all([put(it, "a", 3, ["own"]), put(it, "a", 4, ["also"])]);
  assert.equal(it.reconciler.repositories.isReconciled("a"), false);
  await it.reconciler.reconcile("a");
  assert.deepEqual(await differences(it.reconciler), []);
  await it.reconciler.close();
});

test("a scan that has read an old state of a name never writes it over what a write of ours told", async () => {
  const it = place();
  for (let i = 0; i < 100; i++) await putInTree(it.tree, "a", i, [`t${i}`]);
  // Every answer of the store comes late, in no order.
  for (const method of ["read", "stat"] as const) {
    const asked = it.driver[method].bind(it.driver);
    let turn = 0;
    it.driver[method] = (async (path: string) => {
      const answer = await asked(path);
      for (let left = turn++ % 5; left > 0; left--) await new Promise((resolve) => void setImmediate(resolve));
      return answer;
    }) as never;
  }
  for (let i = 0; i < 8; i++) {
    it.metadata.reset();
    const reconciled = it.reconciler.reconcile("a");
    for (let k = 0; k < 10; k++) {
      await Promise.all([
        put(it, "a", 200 + k + i, [`t${k * 9}`]),
        untag(it, "a", `t${k * 9 + 1}`),
        remove(it, "a", manifestOf(k * 9 + 2).digest),
      ]);
      await put(it, "a", k * 9 + 2, []);
    }
    await reconciled;
    assert.deepEqual(await differences(it.reconciler), []);
  }
  await it.reconciler.close();
});

test("a whole new repository is reconciled by the write that makes it", async () => {
  const it = place();
  await put(it, "new", 1, ["v1"]);
  assert.equal(it.reconciler.repositories.isReconciled("new"), true);
  await it.reconciler.close();
});

test("a failed index write is told, fails nothing, and is mended in the background", async () => {
  const it = place();
  await it.reconciler.reconciled();
  const digest = await it.reconciler.repositories.write(
    "a",
    () => putInTree(it.tree, "a", 1, ["v1"]),
    () => {
      throw new Error("no room");
    },
  );
  assert.equal(it.reconciler.isComplete, false);
  assert.match(it.notices.join(), /no room/);
  const known = it.reconciler.repositories.changes.get("a") ?? 0;
  await it.reconciler.reconciled();
  assert.deepEqual(it.metadata.tagsOf("a", digest), ["v1"]);
  assert.ok((it.reconciler.repositories.changes.get("a") ?? 0) > known);
  await it.reconciler.close();
});

test("a restart reads the names of manifests, and none of what may be large in them", async () => {
  const before = place();
  for (let n = 0; n < 300; n++) await putInTree(before.tree, "a", n);
  await before.reconciler.reconcile("a");
  const { driver, metadata } = before;
  metadata.manifests = () => assert.fail("manifests are read in pages");
  const { reconciler } = place({ driver, metadata });
  await reconciler.reconciled();
  assert.equal(metadata.counts().manifests, 300);
  assert.deepEqual(await Array.fromAsync(reconciler.check()), []);
  await reconciler.close();
});

test("damaged content is kept as not readable and told once; whole again, it is read", async () => {
  const it = place();
  const digest = await putInTree(it.tree, "a", 1);
  const { bytes } = manifestOf(1);
  const torn = await putInTree(it.tree, "a", 2);
  it.driver.putSync(blobPath(digest), textBytes("{}"));
  it.driver.putSync(`${revisionFolder("a", torn)}/link`, textBytes("sha256:12"));
  await it.reconciler.reconciled();
  assert.deepEqual(it.metadata.unreadable("a"), [digest, torn].sort());
  assert.equal(it.notices.length, 2);
  it.driver.putSync(blobPath(digest), bytes);
  await it.reconciler.refresh();
  assert.deepEqual(it.metadata.unreadable("a"), [torn]);
  assert.equal(it.metadata.manifest("a", digest)?.references.length, 2);
  assert.equal(it.notices.length, 2);
  await it.reconciler.close();
});

test("a refresh sees what changes no directory: a tag that another program moved, a link that came back", async () => {
  const it = place({ recheckAfter: 1e9 });
  const first = await putInTree(it.tree, "a", 1, ["v1"]);
  const second = await putInTree(it.tree, "a", 2);
  await it.tree.unlinkRevision("a", second);
  await it.reconciler.reconciled();
  await it.tree.linkRevision("a", second);
  await it.tree.setTag("a", "v1", second);
  await putInTree(it.tree, "b", 3);
  await it.reconciler.refresh();
  assert.deepEqual(await differences(it.reconciler), []);
  assert.deepEqual(it.metadata.tagsOf("a", first), []);
  assert.deepEqual(it.metadata.repositories({ limit: 9 }), ["a", "b"]);
  await it.driver.remove("docker/registry/v2/repositories/a");
  await it.reconciler.refresh();
  assert.deepEqual(it.metadata.repositories({ limit: 9 }), ["b"]);
  await it.reconciler.close();
});

test("discovery finds repositories that another program made, and misses those that it removed, without reading the others", async () => {
  const clock = { now: 10_000 };
  const { driver, tree, metadata, reconciler } = place({ recheckAfter: 2000, now: () => clock.now });
  for (const repository of ["a", "b/c"]) await putInTree(tree, repository, 1, ["1"]);
  await reconciler.reconciled();
  await reconciler.discover();
  await putInTree(tree, "b/d", 2, ["1"]);
  await driver.remove("docker/registry/v2/repositories/a");
  const changes = reconciler.repositories.changes.get("b/c");
  const known = (): string[] => metadata.repositories({ limit: 10 });
  // It has just looked.
  await reconciler.discover();
  assert.deepEqual(known(), ["a", "b/c"]);
  clock.now += 2000;
  await Promise.all([reconciler.discover(), reconciler.discover()]);
  assert.deepEqual(known(), ["b/c", "b/d"]);
  assert.equal(reconciler.repositories.changes.get("b/c"), changes);
  assert.equal(metadata.tag("b/d", "1")?.name, "1");
  await reconciler.close();
});

test("an unreadable repository keeps the index from being whole, and is tried again", async () => {
  const driver = memoryDriver();
  const tree = new Tree(driver);
  const metadata = new Metadata(":memory:");
  const notices: string[] = [];
  await putInTree(tree, "a", 1, ["v1"]);
  await putInTree(tree, "b", 2, ["v1"]);
  const read = driver.read.bind(driver);
  let broken = true;
  driver.read = (path) => (broken && path === currentLink("a", "v1") ? Promise.reject(new Error("EIO")) : read(path));
  const onNotice = ({ message }: { message: string }): void => void notices.push(message);
  const reconciler = new Reconciler({ tree, metadata, now: Date.now, retryAfter: 20, onNotice });
  const whole = reconciler.reconciled();
  await reconciler.reconcile("b");
  await assert.rejects(reconciler.reconcile("a"), /EIO/);
  while (notices.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  assert.equal(reconciler.isComplete, false);
  broken = false;
  const kept = setInterval(() => {}, 1000);
  await whole;
  clearInterval(kept);
  assert.deepEqual(await differences(reconciler), []);
  await reconciler.close();
  await assert.rejects(reconciler.reconciled(), /closing/);
});

test("a rebuild begins again with nothing, also in the middle of writes", async () => {
  const it = place();
  for (let i = 0; i < 200; i++) await putInTree(it.tree, "a", i, [`t${i}`]);
  const whole = it.reconciler.reconciled();
  const writes = Promise.all(Array.from({ length: 20 }, (_, i) => put(it, "a", 200 + i, [`t${200 + i}`])));
  const rebuilt = it.reconciler.rebuild();
  await Promise.all([whole, writes, rebuilt]);
  await it.reconciler.reconciled();
  assert.deepEqual(it.metadata.counts(), { repositories: 1, tags: 220, manifests: 220 });
  assert.deepEqual(await differences(it.reconciler), []);
  await it.reconciler.close();
});

test("an index that cannot be written goes on in memory, and is whole there", async () => {
  const it = place();
  for (let i = 0; i < 5; i++) await putInTree(it.tree, "a", i, [`t${i}`]);
  const putManifest = it.metadata.putManifest.bind(it.metadata);
  const reset = it.metadata.reset.bind(it.metadata);
  const resets: (string | undefined)[] = [];
  it.metadata.putManifest = () => {
    const cause = Object.assign(new Error("database or disk is full"), { errcode: 13 });
    throw new DrayError("DISK", "the index failed: database or disk is full", { cause });
  };
  it.metadata.reset = (where) => {
    resets.push(where);
    it.metadata.putManifest = putManifest;
    reset(where);
  };
  await put(it, "a", 7, ["t7"]);
  assert.match(it.notices[0] ?? "", /not indexed.*full/);
  await it.reconciler.reconciled();
  assert.deepEqual(resets, ["memory"]);
  assert.deepEqual(await differences(it.reconciler), []);
  await it.reconciler.close();
});

test("on real files: what others write is seen, what we write is not read again", async () => {
  const folder = temporaryFolder("reconciler");
  const driver = await filesystemDriver(folder, { durability: "relaxed" });
  const foreign = new Tree(driver);
  const file = join(folder, "index.db");
  const open = (): Metadata => new Metadata(file);
  let metadata = open();
  const options = { tree: new Tree(driver), now: Date.now, recheckAfter: 0 };
  let reconciler = new Reconciler({ ...options, metadata });
  for (let i = 0; i < 30; i++) await putInTree(foreign, "a", i, [`t${i}`]);
  await reconciler.reconcile("a");
  assert.deepEqual(await differences(reconciler), []);
  await putInTree(foreign, "a", 40, ["foreign"]);
  await foreign.removeTag("a", "t3");
  await reconciler.reconcile("a");
  assert.deepEqual(await differences(reconciler), []);
  await Promise.all(
    Array.from({ length: 10 }, (_, i) =>
      put({ tree: options.tree, metadata, reconciler } as Place, "a", 50 + i, [`own${i}`]),
    ),
  );
  assert.deepEqual(await differences(reconciler), []);
  await reconciler.close();
  metadata.close();
  await putInTree(foreign, "b", 1, ["meanwhile"]);
  await foreign.removeTag("a", "own1");
  metadata = open();
  reconciler = new Reconciler({ ...options, metadata });
  assert.equal(metadata.counts().tags, 40);
  await reconciler.reconciled();
  assert.deepEqual(await differences(reconciler), []);
  assert.deepEqual(metadata.repositories({ limit: 9 }), ["a", "b"]);
  await reconciler.close();
  metadata.close();
  await driver.close();
});

test("a write waits for a batch of a scan at most, and a scan of many leaves room for others", async (t) => {
  const size = Number(process.env["DRAY_INDEX_SIZE"] ?? 1500);
  const it = place({ now: () => Date.now() + 3_600_000 });
  for (let i = 0; i < size; i++) {
    const { bytes, digest } = manifestOf(i * 3);
    it.driver.putSync(blobPath(digest), bytes);
    it.driver.putSync(`${revisionFolder("a", digest)}/link`, textBytes(digest));
    it.driver.putSync(currentLink("a", `t${i}`), textBytes(digest));
  }
  let [worst, last, turns] = [0, performance.now(), 0];
  let watching = true;
  const watch = (): void => {
    [worst, last, turns] = [Math.max(worst, performance.now() - last), performance.now(), turns + 1];
    if (watching) setImmediate(watch);
  };
  watch();
  const started = performance.now();
  const whole = it.reconciler.reconciled();
  await put(it, "a", 1, ["meanwhile"]);
  assert.equal(it.reconciler.isComplete, false, "the write did not wait for the scan");
  await whole;
  watching = false;
  t.diagnostic(
    `${size} manifests and tags in ${Math.round(performance.now() - started)} ms, at most ${Math.round(worst)} ms at once`,
  );
  assert.ok(turns > size / 200, `${turns} turns of the event loop`);
  assert.deepEqual(it.metadata.counts(), { repositories: 1, tags: size + 1, manifests: size + 1 });
  const reconciled = performance.now();
  await it.reconciler.refresh();
  t.diagnostic(`looked at again in ${Math.round(performance.now() - reconciled)} ms`);
  await it.reconciler.close();
});
