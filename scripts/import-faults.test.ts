import assert from "node:assert/strict";
import { test } from "node:test";
import { importFaults } from "./import-faults.ts";

const source = (...imports: readonly string[]): string => imports.map((each) => `import "${each}";\n`).join("");

const faultsOf = (files: Record<string, string>): string[] =>
  importFaults(new Map(Object.entries(files)), new Map())
    .filter(({ kind }) => kind.startsWith("circle"))
    .map(({ text }) => text.replaceAll("packages/dray/src/", ""));

test("two files that import each other are a circle of files", () => {
  assert.deepEqual(
    faultsOf({
      "packages/dray/src/oci/a.ts": source("./b.ts"),
      "packages/dray/src/oci/b.ts": source("./a.ts"),
      "packages/dray/src/oci/a.test.ts": source("./b.ts"),
    }),
    ["a circle of files: oci/a.ts -> oci/b.ts -> oci/a.ts"],
  );
});

test("types go in circles, too", () => {
  assert.deepEqual(
    faultsOf({
      "packages/dray/src/oci/a.ts": source("./b.ts"),
      "packages/dray/src/oci/b.ts": 'import type { A } from "./a.ts";\n',
    }),
    ["a circle of files: oci/a.ts -> oci/b.ts -> oci/a.ts"],
  );
});

test("two folders that import each other are a circle of folders, whichever files do it", () => {
  assert.deepEqual(
    faultsOf({
      "packages/dray/src/oci/index.ts": "",
      "packages/dray/src/oci/a.ts": source("../hash/index.ts"),
      "packages/dray/src/hash/index.ts": "",
      "packages/dray/src/hash/b.ts": source("../oci/index.ts"),
    }),
    ["a circle of folders: hash -> oci -> hash"],
  );
});

test("what a test imports closes no circle", () => {
  assert.deepEqual(
    faultsOf({
      "packages/dray/src/oci/a.ts": source("../hash/index.ts"),
      "packages/dray/src/hash/index.ts": "",
      "packages/dray/src/hash/b.test.ts": source("../oci/a.ts"),
      "packages/dray/test/world.ts": source("../src/oci/a.ts"),
    }),
    [],
  );
});
