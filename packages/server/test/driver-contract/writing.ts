import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { seededBytes } from "@dray/testkit/files";
import { isDrayError } from "dray/errors";
import { readAll, same, type Tested, text } from "./tested.ts";

/** What is written, and where: paths, small files, many at once. */
export const writing = (tested: Tested): void => {
  describe("paths", () => {
    const good = ["a", "a/b/c/d/e/f", "a.b_c-d/E9", "..a", "a../b", "_a/.b", "a b/ü", `a/${"n".repeat(200)}`];
    for (const path of good)
      it(`takes ${path.slice(0, 30)}`, async () => {
        const { driver, at } = tested;
        await driver.write(`${at}/${path}`, text(path));
        same(await driver.read(`${at}/${path}`), text(path));
      });

    const bad = ["", "/", "/a", "a/", "a//b", ".", "..", "../a", "a/..", "a/../b", "a/./b", "./a", "a\0", "a/\0/b"];
    for (const path of bad)
      it(`refuses ${JSON.stringify(path)} in every method`, async () => {
        const { driver, at } = tested;
        const calls = [
          driver.read(path),
          driver.open(path),
          driver.stat(path),
          driver.list(path),
          driver.write(path, text("x")),
          driver.makeDirectory(path),
          driver.move(path, `${at}/to`),
          driver.remove(path),
          driver.removeEmpty(path),
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
        const { driver, at } = tested;
        const bytes = seededBytes(1, size);
        await driver.write(`${at}/file`, bytes);
        same(await driver.read(`${at}/file`), bytes);
        same(await readAll(driver, `${at}/file`), bytes);
        assert.equal((await driver.stat(`${at}/file`))?.size, size);
      });

    it("replaces longer by shorter", async () => {
      const { driver, at } = tested;
      await driver.write(`${at}/file`, seededBytes(1, 1000));
      await driver.write(`${at}/file`, text("short"));
      same(await driver.read(`${at}/file`), text("short"));
      assert.deepEqual(await driver.list(at), ["file"]);
    });

    it("leaves the caller its bytes, on the way in and out", async () => {
      const { driver, at } = tested;
      const bytes = text("mine");
      await driver.write(`${at}/file`, bytes);
      bytes.fill(0);
      const read = await driver.read(`${at}/file`);
      same(read, text("mine"));
      read?.fill(0);
      same(await driver.read(`${at}/file`), text("mine"));
    });

    it("waits for what must come first, and writes nothing where that fails", async () => {
      const { driver, at } = tested;
      const first = Promise.withResolvers<void>();
      const bytes = text("second");
      const second = driver.write(`${at}/second`, bytes, { after: first.promise });
      await driver.write(`${at}/other`, text("other"));
      assert.equal(await driver.stat(`${at}/second`), undefined);
      first.resolve();
      await second;
      same(await driver.read(`${at}/second`), bytes);
      const failed = new Error("the first failed");
      const never = driver.write(`${at}/second`, text("third"), { after: Promise.reject(failed) });
      await assert.rejects(never, (error) => error === failed);
      same(await driver.read(`${at}/second`), bytes);
    });

    it("needs not to last", async () => {
      const { driver, at } = tested;
      await driver.write(`${at}/a/file`, text("x"), { durable: false });
      same(await driver.read(`${at}/a/file`), text("x"));
      await driver.remove(`${at}/a`, { durable: false });
      assert.equal(await driver.stat(`${at}/a`), undefined);
    });

    it("says of what is not there that it is not, and of a file that is no directory", async () => {
      const { driver, at } = tested;
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
      const { driver, at } = tested;
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
      const { driver, at } = tested;
      const contents = Array.from({ length: 20 }, (_, i) => seededBytes(i * 7, 50_000 + i));
      await driver.write(`${at}/one`, contents[0] as Uint8Array);
      let done = false;
      const reader = async (): Promise<number> => {
        let reads = 0;
        for (; !done; reads++) {
          const bytes = await (reads % 2 === 0 ? driver.read(`${at}/one`) : readAll(driver, `${at}/one`));
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
      const { driver, at } = tested;
      const names = Array.from({ length: 50 }, (_, i) => `file-${i}`);
      await Promise.all(names.map((file) => driver.write(`${at}/deep/er/${file}`, text(file))));
      assert.deepEqual((await driver.list(`${at}/deep/er`))?.sort(), names.sort());
      for (const file of names) same(await driver.read(`${at}/deep/er/${file}`), text(file));
    });
  });
};
