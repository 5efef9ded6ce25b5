import assert from "node:assert/strict";
import { mkdir, rename, rmdir, symlink, utimes } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { faultyFiles, temporaryFolder } from "@dray/testkit/files";
import { type FileSystem, nodeFiles } from "dray/internal/files";
import { closeThreads } from "dray/internal/threads";
import { driverContract } from "../../test/driver-contract/driver-contract.ts";
import { filesystemDriver } from "./filesystem-driver.ts";

for (const [what, options] of [
  ["durability full", { durability: "full" }],
  ["durability relaxed", { durability: "relaxed" }],
  // Files that have no number, so that no thread writes them.
  ["written in place", { fs: faultyFiles(nodeFiles, () => undefined) }],
] as const)
  driverContract(`a driver of the file system, ${what}`, async () => {
    const folder = temporaryFolder("driver");
    const driver = await filesystemDriver(folder, options);
    return {
      driver,
      end: async () => {
        await driver.close();
        await closeThreads();
      },
    };
  });

describe("a link on the way", () => {
  const root = temporaryFolder("broken-links");

  it("that leads nowhere or in circles is told from what is not there", async () => {
    const folder = join(root, "broken");
    const driver = await filesystemDriver(folder);
    await mkdir(join(folder, "a"), { recursive: true });
    await symlink(join(root, "not-mounted"), join(folder, "a/gone"));
    await symlink(join(folder, "a/round"), join(folder, "a/round"));
    await mkdir(join(root, "unmounted"));
    await symlink(join(root, "unmounted"), join(folder, "a/empty"));
    for (const path of ["a/empty", "a/empty/b/link"])
      await assert.rejects(driver.refuseBrokenLink?.(path) ?? assert.fail(), {
        code: "DISK",
        message: /empty is a link that leads to a folder with nothing in it; mount what it leads to/,
      });
    for (const link of ["gone", "round"])
      for (const path of [`a/${link}`, `a/${link}/b/link`]) {
        await assert.rejects(driver.refuseBrokenLink?.(path) ?? assert.fail(), {
          code: "DISK",
          message: new RegExp(`${link} is a link that leads nowhere`),
        });
        assert.equal(await driver.list(path), undefined);
      }
    await driver.close();
  });

  it("leads to a folder that is listed when it has changed, and not each time that something is not there", async () => {
    const [folder, disk] = [join(root, "listed"), join(root, "disk")];
    let lists = 0;
    const readdir: FileSystem["readdir"] = (path) => {
      if (path.endsWith("a/disk")) lists++;
      return nodeFiles.readdir(path);
    };
    const driver = await filesystemDriver(folder, { fs: { ...nodeFiles, readdir } });
    const look = (): Promise<void> => driver.refuseBrokenLink?.("a/disk/none/link") ?? assert.fail();
    await mkdir(join(disk, "something"), { recursive: true });
    await mkdir(join(folder, "a"), { recursive: true });
    await symlink(disk, join(folder, "a/disk"));
    for (let i = 0; i < 3; i++) await look();
    assert.equal(lists, 1);
    await mkdir(join(disk, "more"));
    await utimes(disk, 1, 1);
    for (let i = 0; i < 3; i++) await look();
    assert.equal(lists, 2);
    await rename(disk, `${disk}-aside`);
    await mkdir(disk);
    for (let i = 0; i < 2; i++) await assert.rejects(look(), /a folder with nothing in it/);
    await rmdir(disk);
    await rename(`${disk}-aside`, disk);
    await look();
    await driver.close();
  });

  it("that leads somewhere hides nothing: what is not there is absent", async () => {
    const folder = join(root, "whole");
    const driver = await filesystemDriver(folder);
    await mkdir(join(root, "elsewhere/something"), { recursive: true });
    await mkdir(join(folder, "a"), { recursive: true });
    await symlink(join(root, "elsewhere"), join(folder, "a/there"));
    assert.deepEqual(await driver.list("a/there"), ["something"]);
    for (const path of ["a/there/b/link", "a/b", "none/at/all"]) {
      await driver.refuseBrokenLink?.(path);
      assert.equal(await driver.read(path), undefined);
    }
    await driver.close();
  });
});
