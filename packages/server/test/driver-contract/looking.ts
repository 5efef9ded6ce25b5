import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { seededBytes } from "@dray/testkit/files";
import { readAll, same, type Tested, text } from "./tested.ts";

/** What is read by position, and the facts about files and directories. */
export const looking = (tested: Tested): void => {
  describe("reading by position", () => {
    const bytes = seededBytes(1, 300_000);
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
        const { driver, at } = tested;
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
      const { driver, at } = tested;
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
      const { driver, at } = tested;
      await driver.write(`${at}/file`, bytes);
      await Promise.all(Array.from({ length: 16 }, async () => same(await readAll(driver, `${at}/file`), bytes)));
    });
  });

  describe("facts", () => {
    it("are those of a file and of a directory", async () => {
      const { driver, at } = tested;
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
      const { driver, at } = tested;
      await driver.write(`${at}/file`, text("one"));
      const one = await driver.stat(`${at}/file`);
      await driver.write(`${at}/file`, text("two"));
      const two = await driver.stat(`${at}/file`);
      assert.notEqual(one?.ino, two?.ino);
    });

    it("tell a touched file's new time and nothing else new", async () => {
      const { driver, at } = tested;
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
      const { driver, at } = tested;
      for (const path of ["b", "a/1", "a/2/x", "ab", "a-b/c"]) await driver.write(`${at}/${path}`, text(path));
      assert.deepEqual((await driver.list(at))?.sort(), ["a", "a-b", "ab", "b"]);
      assert.deepEqual((await driver.list(`${at}/a`))?.sort(), ["1", "2"]);
      await driver.remove(`${at}/a/2/x`);
      assert.deepEqual(await driver.list(`${at}/a/2`), []);
    });

    it("show that an entry of a directory came or went", async () => {
      const { driver, at } = tested;
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
};
