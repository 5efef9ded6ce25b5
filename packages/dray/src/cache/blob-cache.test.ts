import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { renameSync, unlinkSync, writeFileSync } from "node:fs";
import { chmod, readdir, readFile, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import { seededBytes } from "@dray/testkit";
import { faultyFiles, temporaryFolder } from "@dray/testkit/files";
import { collect, memoryStore, put, type ReadableStore } from "../content/index.ts";
import { isDrayError } from "../errors.ts";
import { nodeFiles } from "../files/index.ts";
import { type Descriptor, digestOf } from "../oci/index.ts";
import { type BlobCache, blobCache, cachedStore } from "./index.ts";

const mediaType = "application/octet-stream";

/** A store with blobs, which counts what is read from it. */
const counted = async (...names: readonly string[]) => {
  const store = memoryStore();
  const blobs: Descriptor[] = [];
  for (const name of names) blobs.push(await put(store, seededBytes(name, 10_000), { mediaType }));
  const read: string[] = [];
  const source: ReadableStore = {
    resolve: (name) => store.resolve(name),
    read: (descriptor, options) => {
      read.push(descriptor.digest);
      return store.read(descriptor, options);
    },
  };
  return { source, blobs, read, add: (bytes: Uint8Array) => put(store, bytes, { mediaType }) };
};
const all = (store: ReadableStore, descriptor: Descriptor, offset?: number): Promise<Uint8Array> =>
  collect(store.read(descriptor, { offset }), 1e6, "blob");
const withNames = async (cache: BlobCache): Promise<string[]> => (await readdir(cache.directory)).sort();

describe("a cache of blobs", () => {
  test("gives what was read before, also to another process, also from an offset", async () => {
    const directory = join(temporaryFolder("cache"), "made", "late");
    const { source, blobs, read } = await counted("a");
    const [blob] = blobs as [Descriptor];
    const store = cachedStore(source, blobCache(directory));
    const bytes = await all(store, blob);
    assert.deepEqual(await all(store, blob), bytes);
    assert.deepEqual(await all(cachedStore(source, blobCache(directory)), blob, 9_990), bytes.subarray(9_990));
    assert.equal(read.length, 1);
    // As crane names it, and for its owner alone.
    assert.deepEqual(await withNames(blobCache(directory)), [blob.digest]);
    assert.deepEqual(new Uint8Array(await readFile(join(directory, blob.digest))), bytes);
    assert.equal((await stat(join(directory, blob.digest))).mode & 0o077, 0);
    const [listed] = await blobCache(directory).list();
    assert.deepEqual([listed?.digest, listed?.size], [blob.digest, 10_000]);
    assert.ok(listed !== undefined && Math.abs(Date.now() - listed.used.getTime()) < 60_000);
  });

  test("keeps no part of a blob, and gives one of what it has to whoever checks it", async () => {
    const cache = blobCache(temporaryFolder("cache"));
    const { source, blobs, read } = await counted("a");
    const [blob] = blobs as [Descriptor];
    const store = cachedStore(source, cache);
    const part = { offset: 0, length: 100 };
    const bytes = await collect(source.read(blob), 1e6, "blob");
    assert.deepEqual(await collect(store.read(blob, part), 1e6, "part"), bytes.subarray(0, 100));
    assert.deepEqual(await cache.list(), []);
    await all(store, blob);
    const asked = read.length;
    assert.deepEqual(await collect(store.read(blob, { offset: 50, length: 10 }), 1e6, "part"), bytes.subarray(50, 60));
    assert.equal(read.length, asked);
  });

  test("never gives what is not what its name says, and fetches it again", async () => {
    const cache = (() => {
      const warnings: string[] = [];
      const made = blobCache(temporaryFolder("cache"), { onWarning: (message) => void warnings.push(message) });
      return Object.assign(made, { warnings });
    })();
    const { source, blobs, read } = await counted("a");
    const [blob] = blobs as [Descriptor];
    const store = cachedStore(source, cache);
    const bytes = await all(store, blob);
    const path = join(cache.directory, blob.digest);
    for (const damaged of [
      bytes.with(5, (bytes[5] ?? 0) ^ 1),
      bytes.subarray(1),
      new Uint8Array(0),
      new Uint8Array(20_000),
    ]) {
      await writeFile(path, damaged);
      assert.deepEqual(await all(store, blob), bytes);
      assert.deepEqual(new Uint8Array(await readFile(path)), bytes);
    }
    assert.equal(read.length, 5);
    assert.equal(cache.warnings.length, 4);
    assert.match(cache.warnings[0] ?? "", /is damaged and is fetched again/);
  });

  /** A store whose cache has the blob, to which something happens when it was hashed. */
  const spoilt = async (blob: Descriptor, source: ReadableStore, spoil: (path: string) => void) => {
    const directory = temporaryFolder("cache");
    const path = join(directory, blob.digest);
    await all(cachedStore(source, blobCache(directory)), blob);
    let reads = 0;
    const files = faultyFiles(nodeFiles, ({ operation }) => {
      if (operation === "read" && ++reads === 2) spoil(path);
      return undefined;
    });
    return { directory, path, store: cachedStore(source, blobCache(directory, { files })) };
  };

  test("gives what it has hashed, whatever comes to lie under its name meanwhile, or is pruned", async () => {
    const { source, blobs, read } = await counted("a");
    const [blob] = blobs as [Descriptor];
    const bytes = await collect(source.read(blob), 1e6, "blob");
    const spoilers = [
      (path: string): void => {
        writeFileSync(`${path}.new`, bytes.with(5, (bytes[5] ?? 0) ^ 1));
        renameSync(`${path}.new`, path);
      },
      unlinkSync,
    ];
    for (const spoil of spoilers)
      for (const offset of [0, 9_000]) {
        const { directory, store } = await spoilt(blob, source, spoil);
        const before = read.length;
        assert.deepEqual(await all(store, blob, offset), bytes.subarray(offset));
        assert.equal(read.length, before);
        assert.deepEqual(await all(cachedStore(source, blobCache(directory)), blob), bytes);
      }
  });

  test("a file that others can write is hashed while it is read as well", async () => {
    const { source, blobs } = await counted("a");
    const [blob] = blobs as [Descriptor];
    const bytes = await collect(source.read(blob), 1e6, "blob");
    for (const offset of [0, 9_000]) {
      const wrong = bytes.with(5, (bytes[5] ?? 0) ^ 1);
      const { directory, path, store } = await spoilt(blob, source, (at) => writeFileSync(at, wrong));
      await chmod(path, 0o666);
      await assert.rejects(all(store, blob, offset), (error) => isDrayError(error, "DIGEST_MISMATCH"));
      assert.deepEqual(await all(cachedStore(source, blobCache(directory)), blob), bytes);
      await chmod(path, 0o666);
      assert.deepEqual(await all(cachedStore(source, blobCache(directory)), blob, 9_990), bytes.subarray(9_990));
    }
  });

  test("waits at no pipe that lies in a file's place", { skip: process.platform === "win32" }, async () => {
    const { source, blobs, read } = await counted("a");
    const [blob] = blobs as [Descriptor];
    const directory = temporaryFolder("cache");
    execFileSync("mkfifo", [join(directory, blob.digest)]);
    const warnings: string[] = [];
    const store = cachedStore(source, blobCache(directory, { onWarning: (message) => void warnings.push(message) }));
    assert.equal((await all(store, blob)).byteLength, 10_000);
    assert.equal((await all(store, blob)).byteLength, 10_000);
    assert.deepEqual([read.length, warnings.length], [1, 1]);
  });

  test("keeps nothing that was not read to its end, or was not what its digest says", async () => {
    const cache = blobCache(temporaryFolder("cache"));
    const { source, blobs } = await counted("a");
    const [blob] = blobs as [Descriptor];
    const store = cachedStore(source, cache);
    for await (const _ of store.read(blob)) break;
    const lying = cachedStore({ ...source, read: () => source.read({ ...blob, size: 1 }) }, cache);
    await assert.rejects(all(lying, blob), (error) => isDrayError(error, "SIZE_MISMATCH", "NOT_FOUND"));
    assert.deepEqual(await withNames(cache), []);
    await assert.rejects(all(cachedStore(source, cache), { ...blob, digest: digestOf(new Uint8Array(1)) }));
    assert.deepEqual(await withNames(cache), []);
  });

  test("stays within its bound: what was not used for longest goes", async () => {
    const { source, blobs, read, add } = await counted("a", "b", "c", "d");
    const cache = blobCache(temporaryFolder("cache"), { limit: 30_000 });
    const store = cachedStore(source, cache);
    const [a, b, c, d] = blobs as [Descriptor, Descriptor, Descriptor, Descriptor];
    for (const [i, blob] of [a, b, c].entries()) {
      await all(store, blob);
      await utimes(join(cache.directory, blob.digest), 1000 + i, 1000 + i);
    }
    // Read again, so it is not the oldest any more.
    await all(store, a);
    await all(store, d);
    assert.deepEqual(await withNames(cache), [a.digest, c.digest, d.digest].sort());
    // One that does not fit at all moves nothing out.
    await all(store, await add(seededBytes("large", 40_000)));
    assert.deepEqual(await withNames(cache), [a.digest, c.digest, d.digest].sort());
    assert.equal(read.length, 5);
    assert.throws(
      () => blobCache("x", { limit: Number.NaN }),
      (error) => isDrayError(error, "USAGE"),
    );
  });

  test("is pruned by size, by age and of what nobody finished; other files stay", async () => {
    const { source, blobs } = await counted("a", "b", "c");
    const cache = blobCache(temporaryFolder("cache"));
    const store = cachedStore(source, cache);
    for (const [i, blob] of blobs.entries()) {
      await all(store, blob);
      const used = Date.now() / 1000 - 86_400 * (3 - i);
      await utimes(join(cache.directory, blob.digest), used, used);
    }
    const [old, young] = [`.dray-${"0".repeat(16)}.part`, `.dray-${"1".repeat(16)}.part`];
    for (const name of [old, young, "README", ".dray-x.part"]) await writeFile(join(cache.directory, name), "x");
    await utimes(join(cache.directory, old), 1000, 1000);
    const digests = blobs.map(({ digest }) => digest);
    const dry = await cache.prune({ keep: 0, dryRun: true });
    assert.deepEqual([dry.removed.map(({ digest }) => digest), dry.left], [digests, 0]);
    assert.equal((await withNames(cache)).length, 7);
    assert.deepEqual(
      (await cache.prune({ unusedFor: 2.5 * 86_400_000 })).removed.map(({ digest }) => digest),
      [digests[0]],
    );
    assert.deepEqual(
      (await cache.prune({ keep: 10_000 })).removed.map(({ digest }) => digest),
      [digests[1]],
    );
    assert.deepEqual(await cache.prune({ keep: 10_000 }), { removed: [], left: 10_000 });
    assert.deepEqual(await withNames(cache), [".dray-x.part", young, "README", `${digests[2]}`].sort());
    assert.deepEqual(await blobCache(join(cache.directory, "none")).prune(), { removed: [], left: 0 });
  });

  test("is done without where it cannot be written or read, which is told once", async () => {
    const { source, blobs, read } = await counted("a", "b");
    for (const [operation, errno] of [
      ["open", "EACCES"],
      ["write", "ENOSPC"],
      ["rename", "EROFS"],
      ["mkdir", "EACCES"],
    ] as const) {
      read.length = 0;
      const warnings: string[] = [];
      const files = faultyFiles(nodeFiles, (call) => (call.operation === operation ? errno : undefined));
      const cache = blobCache(join(temporaryFolder("cache"), "c"), {
        files,
        onWarning: (message) => void warnings.push(message),
      });
      const store = cachedStore(source, cache);
      for (const blob of [...blobs, ...blobs]) assert.equal((await all(store, blob)).byteLength, 10_000);
      assert.equal(read.length, 4, operation);
      assert.equal(warnings.length, 1, operation);
      assert.match(warnings[0] ?? "", new RegExp(`is done without: .*${errno}`));
    }
  });

  test("serves many at once", async () => {
    const { source, blobs } = await counted("a", "b", "c", "d", "e", "f");
    const directory = temporaryFolder("cache");
    const stores = Array.from({ length: 4 }, () => cachedStore(source, blobCache(directory, { limit: 35_000 })));
    await Promise.all(
      stores.flatMap((store) =>
        [...blobs, ...blobs].map(async (blob) => {
          assert.equal((await all(store, blob)).byteLength, 10_000);
        }),
      ),
    );
    const left = await blobCache(directory).list();
    assert.ok(left.length <= 3, String(left.length));
    assert.ok((await readdir(directory)).every((name) => name.startsWith("sha256:")));
  });
});
