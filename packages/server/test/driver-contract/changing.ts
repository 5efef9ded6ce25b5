import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { seededBytes } from "@dray/testkit/files";
import { isDrayError } from "dray/errors";
import { same, type Tested, text } from "./tested.ts";

/** Other names, and none. */
export const changing = (tested: Tested): void => {
  describe("removing what is empty", () => {
    it("takes directories away that have directories in them alone, and leaves what has a file", async () => {
      const { driver, at } = tested;
      for (const path of ["a/b/c/file", "a/d/file", "kept/x/y/file"]) await driver.write(`${at}/${path}`, text("x"));
      for (const path of ["a/b/c/file", "a/d/file"]) await driver.remove(`${at}/${path}`);
      assert.equal(await driver.removeEmpty(`${at}/a`), true);
      assert.equal(await driver.stat(`${at}/a`), undefined);
      assert.equal(await driver.removeEmpty(`${at}/a`), true, "nothing there is nothing to do");
      assert.equal(await driver.removeEmpty(`${at}/kept`), false);
      same(await driver.read(`${at}/kept/x/y/file`), text("x"));
      await driver.write(`${at}/a/b/file`, text("again"));
      same(await driver.read(`${at}/a/b/file`), text("again"));
    });
  });

  describe("making a directory", () => {
    it("makes it and those above it, once, and leaves what is in it", async () => {
      const { driver, at } = tested;
      await driver.makeDirectory(`${at}/a/b`);
      assert.deepEqual([await driver.list(`${at}/a`), await driver.list(`${at}/a/b`)], [["b"], []]);
      await driver.write(`${at}/a/b/file`, text("x"));
      await driver.makeDirectory(`${at}/a/b`);
      assert.deepEqual(await driver.list(`${at}/a/b`), ["file"]);
    });
  });

  describe("moving", () => {
    it("gives the file another name, in a new folder too", async () => {
      const { driver, at } = tested;
      await driver.write(`${at}/from`, seededBytes(1, 200_000));
      await driver.move(`${at}/from`, `${at}/a/b/to`);
      same(await driver.read(`${at}/a/b/to`), seededBytes(1, 200_000));
      assert.equal(await driver.stat(`${at}/from`), undefined);
    });

    it("replaces what is there", async () => {
      const { driver, at } = tested;
      await driver.write(`${at}/from`, text("new"));
      await driver.write(`${at}/to`, text("old and longer"));
      await driver.move(`${at}/from`, `${at}/to`);
      same(await driver.read(`${at}/to`), text("new"));
      assert.deepEqual(await driver.list(at), ["to"]);
    });

    it("takes along the directory of a file that is alone in it, or leaves that empty", async () => {
      const { driver, at } = tested;
      const folders = ["made/new", "made/there", "empty", "full"];
      await driver.write(`${at}/empty/x`, text("x"));
      await driver.remove(`${at}/empty/x`);
      await driver.write(`${at}/full/data`, text("old"));
      await driver.write(`${at}/full/more`, text("stays"));
      for (const [i, folder] of folders.entries()) {
        await driver.write(`${at}/from/${i}/data`, seededBytes(1, 1000 + i));
        await driver.move(`${at}/from/${i}/data`, `${at}/${folder}/data`, { alone: true });
        same(await driver.read(`${at}/${folder}/data`), seededBytes(1, 1000 + i));
        assert.deepEqual((await driver.list(`${at}/from/${i}`)) ?? [], []);
      }
      same(await driver.read(`${at}/full/more`), text("stays"));
      await driver.write(`${at}/from/x/data`, text("other name"));
      await driver.move(`${at}/from/x/data`, `${at}/made/new/more`, { alone: true });
      assert.deepEqual((await driver.list(`${at}/made/new`))?.sort(), ["data", "more"]);
    });

    it("onto itself changes nothing", async () => {
      const { driver, at } = tested;
      await driver.write(`${at}/file`, text("same"));
      await driver.move(`${at}/file`, `${at}/file`);
      same(await driver.read(`${at}/file`), text("same"));
    });

    it("rejects when there is nothing to move, or a directory, or a directory in the way", async () => {
      const { driver, at } = tested;
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
      const { driver, at } = tested;
      for (const path of ["a/1", "a/b/2", "a/b/c/3", "ab/4", "a.b", "b"])
        await driver.write(`${at}/${path}`, text("x"));
      await driver.remove(`${at}/a`);
      assert.deepEqual((await driver.list(at))?.sort(), ["a.b", "ab", "b"]);
      assert.equal(await driver.read(`${at}/a/b/c/3`), undefined);
      await driver.write(`${at}/a/b/2`, text("again"));
      assert.deepEqual(await driver.list(`${at}/a`), ["b"]);
    });

    it("takes one file and leaves the folder", async () => {
      const { driver, at } = tested;
      await driver.write(`${at}/folder/file`, text("x"));
      await driver.remove(`${at}/folder/file`);
      assert.deepEqual(await driver.list(`${at}/folder`), []);
    });

    it("races with writes into the folder: each write is done or the folder is gone", async () => {
      const { driver, at } = tested;
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
};
