import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { temporaryFolder } from "@dray/testkit/files";
import type { Notice } from "../../src/notice.ts";
import type { RegistryOptions } from "../../src/options.ts";
import { createRegistry, type Registry } from "../../src/registry.ts";
import { type Driver, filesystemDriver, memoryDriver } from "../../src/storage/index.ts";

/** Where it lies, and what is left unfinished there. */
export const places: Readonly<Record<string, () => Promise<{ driver: Driver; unfinished: () => Promise<string[]> }>>> =
  {
    "in memory": async () => ({ driver: memoryDriver(), unfinished: async () => [] }),
    "in a folder": async () => {
      const folder = temporaryFolder("crowd");
      const driver = await filesystemDriver(folder, { durability: "relaxed" });
      return { driver, unfinished: () => readdir(join(folder, "dray/tmp")) };
    },
  };

/** Every file below a path. */
export const filesOf = async (driver: Driver, path: string): Promise<string[]> => {
  const inside = await driver.list(path);
  if (inside === undefined) return (await driver.stat(path)) === undefined ? [] : [path];
  return (await Promise.all(inside.map((name) => filesOf(driver, `${path}/${name}`)))).flat();
};

/** A registry that must not have had a fault, nor left anything unfinished, when it ends. */
export const openFixture = async (
  open: (typeof places)[string],
  options: Partial<RegistryOptions> = {},
): Promise<{ registry: Registry; driver: Driver; end: () => Promise<void> }> => {
  const { driver, unfinished } = await open();
  const notices: Notice[] = [];
  const registry = createRegistry({ driver, ...options, onNotice: (notice) => notices.push(notice) });
  return {
    registry,
    driver,
    end: async () => {
      assert.deepEqual(
        notices.filter(({ level }) => level === "error"),
        [],
      );
      assert.deepEqual(await unfinished(), []);
      await registry.close();
    },
  };
};
