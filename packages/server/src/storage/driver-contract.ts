import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";
import { isDrayError } from "dray/errors";
import { type DigestAlgorithm, digestOf } from "dray/oci";
import type { Driver } from "./driver.ts";

export interface DriverUnderTest {
  readonly driver: Driver;
  end(): Promise<void>;
}

const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const patterned = (size: number, seed = 1): Uint8Array =>
  new Uint8Array(size).map((_, i) => ((i + seed) * 2654435761) >>> 13);
const same = (actual: Uint8Array | undefined, expected: Uint8Array): void => {
  assert.ok(actual !== undefined, "there is nothing");
  assert.equal(Buffer.compare(actual, expected), 0);
};

/** What every driver does, as tests: the suite of the CNCF distribution's drivers, as far as it applies, and ours. */
export const driverContract = (name: string, make: () => Promise<DriverUnderTest>): void => {
  describe(name, () => {
    let tested: DriverUnderTest;
    let driver: Driver;
    let folders = 0;
    /** A folder for each test. */
    let at = "";
    before(async () => {
      tested = await make();
      driver = tested.driver;
    });
    after(() => tested.end());
    beforeEach(() => {
      at = `tests/${++folders}`;
    });

    const readAll = async (path: string): Promise<Uint8Array | undefined> => {
      const file = await driver.open(path);
      if (file === undefined) return undefined;
      try {
        const bytes = new Uint8Array(file.size);
        assert.equal(await file.read(bytes, 0), file.size);
        return bytes;
      } finally {
        await file.close();
      }
    };

    describe("paths", () => {
      const good = ["a", "a/b/c/d/e/f", "a.b_c-d/E9", "..a", "a../b", "_a/.b", "a b/ü", `a/${"n".repeat(200)}`];
      for (const path of good)
        it(`takes ${path.slice(0, 30)}`, async () => {
          await driver.write(`${at}/${path}`, text(path));
          same(await driver.read(`${at}/${path}`), text(path));
        });

      const bad = ["", "/", "/a", "a/", "a//b", ".", "..", "../a", "a/..", "a/../b", "a/./b", "./a", "a\0", "a/\0/b"];
      for (const path of bad)
        it(`refuses ${JSON.stringify(path)} in every method`, async () => {
          const calls = [
            driver.read(path),
            driver.open(path),
            driver.stat(path),
            driver.list(path),
            driver.write(path, text("x")),
            driver.move(path, `${at}/to`),
            driver.remove(path),
            driver.touch(path),
            driver.receive(path, "sha256"),
          ];
          for (const call of calls) await assert.rejects(call, (error) => isDrayError(error, "LOCATION_INVALID"));
          await driver.write(`${at}/from`, text("from"));
          await assert.rejects(driver.move(`${at}/from`, path), (error) => isDrayError(error, "LOCATION_INVALID"));
          same(await driver.read(`${at}/from`), text("from"));
        });
    });

    describe("writing and reading", () => {
      for (const size of [0, 1, 100, 65536, 3_000_001])
        it(`brings back ${size} bytes`, async () => {
          const bytes = patterned(size);
          await driver.write(`${at}/file`, bytes);
          same(await driver.read(`${at}/file`), bytes);
          same(await readAll(`${at}/file`), bytes);
          assert.equal((await driver.stat(`${at}/file`))?.size, size);
        });

      it("replaces longer by shorter", async () => {
        await driver.write(`${at}/file`, patterned(1000));
        await driver.write(`${at}/file`, text("short"));
        same(await driver.read(`${at}/file`), text("short"));
        assert.deepEqual(await driver.list(at), ["file"]);
      });

      it("leaves the caller its bytes, on the way in and out", async () => {
        const bytes = text("mine");
        await driver.write(`${at}/file`, bytes);
        bytes.fill(0);
        const read = await driver.read(`${at}/file`);
        same(read, text("mine"));
        read?.fill(0);
        same(await driver.read(`${at}/file`), text("mine"));
      });

      it("needs not to last", async () => {
        await driver.write(`${at}/a/file`, text("x"), { lasting: false });
        same(await driver.read(`${at}/a/file`), text("x"));
        await driver.remove(`${at}/a`, { lasting: false });
        assert.equal(await driver.stat(`${at}/a`), undefined);
      });

      it("says of what is not there that it is not, and of a file that is no directory", async () => {
        await driver.write(`${at}/file`, text("x"));
        for (const path of [`${at}/none`, `${at}/none/none`, `${at}/file/below`]) {
          assert.equal(await driver.read(path), undefined);
          assert.equal(await driver.open(path), undefined);
          assert.equal(await driver.stat(path), undefined);
          assert.equal(await driver.list(path), undefined);
          await driver.touch(path);
          await driver.remove(path);
        }
        assert.equal(await driver.list(`${at}/file`), undefined);
        assert.equal(await driver.read(at), undefined);
        assert.equal(await driver.open(at), undefined);
      });

      it("refuses a file where a directory is, and below a file, and leaves both", async () => {
        await driver.write(`${at}/directory/file`, text("x"));
        const isDisk = (error: unknown): boolean => isDrayError(error, "DISK");
        await assert.rejects(driver.write(`${at}/directory`, text("y")), isDisk);
        await assert.rejects(driver.write(`${at}/directory/file/below`, text("y")), isDisk);
        await assert.rejects(driver.receive(`${at}/directory`, "sha256"), isDisk);
        await assert.rejects(driver.receive(`${at}/directory/file/below`, "sha256"), isDisk);
        same(await driver.read(`${at}/directory/file`), text("x"));
        assert.deepEqual(await driver.list(at), ["directory"]);
      });

      it("shows readers one of many that are written to one path at once, whole", async () => {
        const contents = Array.from({ length: 20 }, (_, i) => patterned(50_000 + i, i * 7));
        await driver.write(`${at}/one`, contents[0] as Uint8Array);
        let done = false;
        const reader = async (): Promise<number> => {
          let reads = 0;
          for (; !done; reads++) {
            const bytes = await (reads % 2 === 0 ? driver.read(`${at}/one`) : readAll(`${at}/one`));
            const expected = contents[(bytes?.byteLength ?? 0) - 50_000];
            assert.ok(expected !== undefined, `${bytes?.byteLength} bytes`);
            same(bytes, expected);
            await new Promise(setImmediate);
          }
          return reads;
        };
        const reading = Promise.all([reader(), reader()]);
        await Promise.all(contents.map((bytes) => driver.write(`${at}/one`, bytes)));
        done = true;
        for (const reads of await reading) assert.ok(reads > 0);
        assert.deepEqual(await driver.list(at), ["one"]);
      });

      it("writes many files in one new folder at once", async () => {
        const names = Array.from({ length: 50 }, (_, i) => `file-${i}`);
        await Promise.all(names.map((file) => driver.write(`${at}/deep/er/${file}`, text(file))));
        assert.deepEqual((await driver.list(`${at}/deep/er`))?.sort(), names.sort());
        for (const file of names) same(await driver.read(`${at}/deep/er/${file}`), text(file));
      });
    });

    describe("reading by position", () => {
      const bytes = patterned(300_000);
      const parts: readonly [position: number, length: number][] = [
        [0, 300_000],
        [0, 1],
        [1, 131_072],
        [131_071, 2],
        [299_999, 1],
        [299_999, 100],
        [300_000, 10],
        [400_000, 10],
        [5, 0],
      ];
      for (const [position, length] of parts)
        it(`gives ${length} bytes from ${position} on`, async () => {
          await driver.write(`${at}/file`, bytes);
          const file = await driver.open(`${at}/file`);
          assert.ok(file !== undefined);
          const into = new Uint8Array(length).fill(7);
          const expected = bytes.subarray(position, position + length);
          assert.equal(await file.read(into, position), expected.byteLength);
          same(into.subarray(0, expected.byteLength), expected);
          assert.ok(into.subarray(expected.byteLength).every((byte) => byte === 7));
          await file.close();
          await file.close();
        });

      it("goes on with what was there when the file is replaced, moved over or removed", async () => {
        const old = text("old and long");
        await driver.write(`${at}/file`, old);
        const file = await driver.open(`${at}/file`);
        assert.ok(file !== undefined);
        const look = async (): Promise<void> => {
          const into = new Uint8Array(20);
          assert.equal(await file.read(into, 0), old.byteLength);
          same(into.subarray(0, old.byteLength), old);
        };
        await driver.write(`${at}/file`, text("new"));
        await look();
        await driver.write(`${at}/other`, text("other"));
        await driver.move(`${at}/other`, `${at}/file`);
        await look();
        await driver.remove(at);
        await look();
        await file.close();
      });

      it("serves many readers of one file at once", async () => {
        await driver.write(`${at}/file`, bytes);
        await Promise.all(Array.from({ length: 16 }, async () => same(await readAll(`${at}/file`), bytes)));
      });
    });

    describe("facts", () => {
      it("are those of a file and of a directory", async () => {
        const before = Date.now() - 10_000;
        await driver.write(`${at}/folder/file`, text("four"));
        const file = await driver.stat(`${at}/folder/file`);
        assert.equal(file?.size, 4);
        assert.equal(file.directory, false);
        assert.ok(file.mtime > before && file.mtime < Date.now() + 10_000);
        const folder = await driver.stat(`${at}/folder`);
        assert.equal(folder?.directory, true);
        assert.ok(folder.mtime > before && folder.mtime < Date.now() + 10_000);
      });

      it("differ for what replaced a file", async () => {
        await driver.write(`${at}/file`, text("one"));
        const one = await driver.stat(`${at}/file`);
        await driver.write(`${at}/file`, text("two"));
        const two = await driver.stat(`${at}/file`);
        assert.notEqual(one?.ino, two?.ino);
      });

      it("tell a touched file's new time and nothing else new", async () => {
        await driver.write(`${at}/file`, text("one"));
        const before = await driver.stat(`${at}/file`);
        await new Promise((resolve) => setTimeout(resolve, 15));
        await driver.touch(`${at}/file`);
        const after = await driver.stat(`${at}/file`);
        assert.ok(before !== undefined && after !== undefined);
        assert.ok(after.mtime > before.mtime);
        assert.deepEqual({ ...after, mtime: 0 }, { ...before, mtime: 0 });
        same(await driver.read(`${at}/file`), text("one"));
      });

      it("list what is directly in a directory", async () => {
        for (const path of ["b", "a/1", "a/2/x", "ab", "a-b/c"]) await driver.write(`${at}/${path}`, text(path));
        assert.deepEqual((await driver.list(at))?.sort(), ["a", "a-b", "ab", "b"]);
        assert.deepEqual((await driver.list(`${at}/a`))?.sort(), ["1", "2"]);
        await driver.remove(`${at}/a/2/x`);
        assert.deepEqual(await driver.list(`${at}/a/2`), []);
      });

      it("show that an entry of a directory came or went", async () => {
        await driver.write(`${at}/folder/a/link`, text("a"));
        const changes = [
          () => driver.write(`${at}/folder/b/link`, text("b")),
          () => driver.remove(`${at}/folder/a`),
          () => driver.move(`${at}/folder/b/link`, `${at}/folder/c`),
        ];
        for (const change of changes) {
          const before = await driver.stat(`${at}/folder`);
          // File systems tell times apart by the ticks of the kernel's clock.
          await new Promise((resolve) => setTimeout(resolve, 15));
          await change();
          assert.notEqual((await driver.stat(`${at}/folder`))?.mtime, before?.mtime);
        }
      });
    });

    describe("moving", () => {
      it("gives the file another name, in a new folder too", async () => {
        await driver.write(`${at}/from`, patterned(200_000));
        await driver.move(`${at}/from`, `${at}/a/b/to`);
        same(await driver.read(`${at}/a/b/to`), patterned(200_000));
        assert.equal(await driver.stat(`${at}/from`), undefined);
      });

      it("replaces what is there", async () => {
        await driver.write(`${at}/from`, text("new"));
        await driver.write(`${at}/to`, text("old and longer"));
        await driver.move(`${at}/from`, `${at}/to`);
        same(await driver.read(`${at}/to`), text("new"));
        assert.deepEqual(await driver.list(at), ["to"]);
      });

      it("onto itself changes nothing", async () => {
        await driver.write(`${at}/file`, text("same"));
        await driver.move(`${at}/file`, `${at}/file`);
        same(await driver.read(`${at}/file`), text("same"));
      });

      it("rejects when there is nothing to move, or a directory, or a directory in the way", async () => {
        const isDisk = (error: unknown): boolean => isDrayError(error, "DISK");
        await driver.write(`${at}/to`, text("stays"));
        await driver.write(`${at}/folder/file`, text("stays"));
        await assert.rejects(driver.move(`${at}/none`, `${at}/to`), isDisk);
        await assert.rejects(driver.move(`${at}/folder`, `${at}/other`), isDisk);
        await assert.rejects(driver.move(`${at}/to`, `${at}/folder`), isDisk);
        await assert.rejects(driver.move(`${at}/to`, `${at}/folder/file/below`), isDisk);
        same(await driver.read(`${at}/to`), text("stays"));
        same(await driver.read(`${at}/folder/file`), text("stays"));
      });
    });

    describe("removing", () => {
      it("takes a folder with all in it, and no sibling whose name begins alike", async () => {
        for (const path of ["a/1", "a/b/2", "a/b/c/3", "ab/4", "a.b", "b"])
          await driver.write(`${at}/${path}`, text("x"));
        await driver.remove(`${at}/a`);
        assert.deepEqual((await driver.list(at))?.sort(), ["a.b", "ab", "b"]);
        assert.equal(await driver.read(`${at}/a/b/c/3`), undefined);
        await driver.write(`${at}/a/b/2`, text("again"));
        assert.deepEqual(await driver.list(`${at}/a`), ["b"]);
      });

      it("takes one file and leaves the folder", async () => {
        await driver.write(`${at}/folder/file`, text("x"));
        await driver.remove(`${at}/folder/file`);
        assert.deepEqual(await driver.list(`${at}/folder`), []);
      });

      it("races with writes into the folder: each write is done or the folder is gone", async () => {
        for (let round = 0; round < 20; round++) {
          await driver.write(`${at}/folder/first`, text("x"));
          await Promise.all([
            driver.remove(`${at}/folder`).catch((error: unknown) => assert.ok(isDrayError(error, "DISK"))),
            driver.write(`${at}/folder/a`, text("a")),
            driver.write(`${at}/folder/b/c`, text("b")),
          ]);
          for (const path of ["a", "b/c"]) {
            const bytes = await driver.read(`${at}/folder/${path}`);
            assert.ok(bytes === undefined || bytes.byteLength === 1);
          }
        }
      });
    });

    describe("receiving", () => {
      for (const algorithm of ["sha256", "sha512"] satisfies DigestAlgorithm[])
        for (const [size, chunk] of [
          [0, 1],
          [1, 1],
          [1000, 7],
          [131_072, 131_072],
          [131_073, 65_536],
          [3_000_001, 100_003],
        ] as const)
          it(`keeps and hashes (${algorithm}) ${size} bytes in chunks of ${chunk}, which stay the caller's`, async () => {
            const bytes = patterned(size);
            const receiver = await driver.receive(`${at}/up/data`, algorithm);
            const given = new Uint8Array(chunk);
            for (let from = 0; from < size; from += chunk) {
              const part = bytes.subarray(from, from + chunk);
              given.set(part);
              await receiver.append(given.subarray(0, part.byteLength));
              given.fill(0);
            }
            assert.equal(await receiver.drain(), size);
            assert.equal(receiver.size, size);
            assert.equal(await receiver.digest(algorithm), digestOf(bytes, algorithm));
            await receiver.close();
            await receiver.close();
            same(await driver.read(`${at}/up/data`), bytes);
          });

      it("tells only what is written, and everything after drain", async () => {
        const receiver = await driver.receive(`${at}/data`, "sha256");
        await receiver.append(text("abc"));
        assert.ok(receiver.size === 0 || receiver.size === 3);
        assert.equal(await receiver.drain(), 3);
        assert.equal((await driver.stat(`${at}/data`))?.size, 3);
        await receiver.append(text("def"));
        assert.equal(await receiver.drain(), 6);
        same(await driver.read(`${at}/data`), text("abcdef"));
        await receiver.close();
      });

      it("tells the digest in both algorithms, more than once, and goes on afterwards", async () => {
        const receiver = await driver.receive(`${at}/data`, "sha256");
        await receiver.append(text("abc"));
        for (let i = 0; i < 2; i++)
          for (const algorithm of ["sha512", "sha256"] satisfies DigestAlgorithm[])
            assert.equal(await receiver.digest(algorithm), digestOf(text("abc"), algorithm));
        await receiver.append(text("def"));
        assert.equal(await receiver.digest("sha256"), digestOf(text("abcdef")));
        assert.equal(await receiver.drain(), 6);
        await receiver.close();
      });

      it("goes on behind what is there, and hashes that too", async () => {
        const bytes = patterned(2_500_000);
        await driver.write(`${at}/data`, bytes.subarray(0, 1_200_000));
        const receiver = await driver.receive(`${at}/data`, "sha256");
        assert.equal(receiver.size, 1_200_000);
        await receiver.append(bytes.subarray(1_200_000));
        assert.equal(await receiver.digest("sha256"), digestOf(bytes));
        await receiver.close();
        const again = await driver.receive(`${at}/data`, "sha512");
        assert.equal(await again.drain(), bytes.byteLength);
        assert.equal(await again.digest("sha512"), digestOf(bytes, "sha512"));
        await again.close();
        same(await driver.read(`${at}/data`), bytes);
      });

      it("answers calls in their order, though nobody waits between them", async () => {
        const bytes = patterned(1_000_000);
        const receiver = await driver.receive(`${at}/data`, "sha256");
        const calls: Promise<unknown>[] = [];
        for (let from = 0; from < bytes.byteLength; from += 50_000)
          calls.push(receiver.append(bytes.subarray(from, from + 50_000)));
        const [size, digest] = await Promise.all([receiver.drain(), receiver.digest("sha256"), ...calls]);
        assert.equal(size, bytes.byteLength);
        assert.equal(digest, digestOf(bytes));
        await receiver.close();
      });

      it("takes no more once closed, and the file can be moved", async () => {
        const receiver = await driver.receive(`${at}/data`, "sha256");
        await receiver.append(text("abc"));
        await receiver.close();
        await assert.rejects(receiver.append(text("def")), (error) => isDrayError(error, "DISK"));
        await assert.rejects(receiver.drain(), (error) => isDrayError(error, "DISK"));
        await driver.move(`${at}/data`, `${at}/blob/data`);
        same(await driver.read(`${at}/blob/data`), text("abc"));
      });

      it("keeps many at once apart", async () => {
        await Promise.all(
          Array.from({ length: 12 }, async (_, i) => {
            const bytes = patterned(400_000 + i, i);
            const receiver = await driver.receive(`${at}/${i}/data`, i % 2 === 0 ? "sha256" : "sha512");
            for (let from = 0; from < bytes.byteLength; from += 30_000)
              await receiver.append(bytes.subarray(from, from + 30_000));
            assert.equal(await receiver.digest("sha256"), digestOf(bytes));
            await receiver.close();
            same(await driver.read(`${at}/${i}/data`), bytes);
          }),
        );
      });
    });
  });
};
