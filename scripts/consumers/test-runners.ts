/** Test runners as they come, without settings. */
import { cpSync } from "node:fs";
import { join } from "node:path";
import { type Case, installed, run, runtime } from "./case.ts";

const node = (): string => runtime("node");

export const testRunners: readonly Case[] = [
  {
    name: "Jest requires the packages",
    run: async ({ folder }) => {
      cpSync(join(folder, "../copy.test.cjs"), join(folder, "copy.test.js"));
      cpSync(join(folder, "../commonjs.json"), join(folder, "package.json"));
      await run(folder, [node(), installed("jest/bin/jest.js"), "--rootDir", folder]);
      return "passed";
    },
  },
  {
    name: "Jest imports the packages",
    run: async ({ folder }) => {
      cpSync(join(folder, "../copy.test.mjs"), join(folder, "copy.test.js"));
      cpSync(join(folder, "../module.json"), join(folder, "package.json"));
      await run(folder, [node(), "--experimental-vm-modules", installed("jest/bin/jest.js"), "--rootDir", folder]);
      return "passed";
    },
  },
  {
    name: "Vitest",
    run: async ({ folder }) => {
      cpSync(join(folder, "../copy.test.mjs"), join(folder, "copy.test.mjs"));
      cpSync(join(folder, "../module.json"), join(folder, "package.json"));
      await run(folder, [node(), installed("vitest/vitest.mjs"), "run", "--globals", "--root", folder]);
      return "passed";
    },
  },
];
