import assert from "node:assert/strict";
import { test } from "node:test";
import { fault, type Manifest, readImports } from "./imports.ts";

const manifests = new Map<string, Manifest>([
  ["dray", { name: "dray", dependencies: [], devDependencies: ["@dray/testkit", "fast-check"] }],
  ["testkit", { name: "@dray/testkit", dependencies: ["dray"], devDependencies: [] }],
  ["server", { name: "@dray/server", dependencies: ["dray", "@dray/testkit"], devDependencies: [] }],
  ["cli", { name: "@dray/cli", dependencies: ["dray", "@dray/server", "commander"], devDependencies: [] }],
]);

const library = (file: string): string => `packages/dray/src/${file}`;

test("imports are read with their kind and line", () => {
  const source = [
    'import type { A } from "./a.ts";',
    'import { type B, type C } from "./b.ts";',
    "import {",
    "  d,",
    "  type E,",
    '} from "./d.ts";',
    'export * from "./e.ts";',
    'import "./f.ts";',
    'const g = await import("./g.ts");',
    'new Worker(new URL("./h.worker.ts", import.meta.url));',
    '/** @example import { x } from "not-this" */',
    'const text = "import";',
    "export const none = 1;",
    'export type { I } from "node:i";',
    'spawn(fileURLToPath(new URL("../main.ts", import.meta.url)));',
  ].join("\n");
  const found = readImports(source).map(({ specifier, typeOnly, line }) => [line, specifier, typeOnly]);
  assert.deepEqual(
    found.sort((a, b) => Number(a[0]) - Number(b[0])),
    [
      [1, "./a.ts", true],
      [2, "./b.ts", true],
      [3, "./d.ts", false],
      [7, "./e.ts", false],
      [8, "./f.ts", false],
      [9, "./g.ts", false],
      [10, "./h.worker.ts", false],
      [14, "node:i", true],
    ],
  );
});

const inside: readonly [from: string, to: string, typeOnly: boolean, verdict: RegExp | undefined][] = [
  ["content/copy.ts", "oci/index.ts", false, undefined],
  ["content/copy.ts", "content/walk.ts", false, undefined],
  ["oci/digest.ts", "errors.ts", false, undefined],
  ["index.ts", "open.ts", false, undefined],
  ["image/image.ts", "registry/index.ts", false, undefined],
  ["oci/digest.ts", "content/index.ts", true, /oci lies below content/],
  ["errors.ts", "oci/index.ts", false, /errors.ts lies below oci/],
  ["layout/store.ts", "archive/index.ts", false, /siblings/],
  ["http/retry.ts", "auth/types.ts", true, /siblings/],
  ["auth/authenticate.ts", "http/types.ts", true, undefined],
  ["auth/realm.ts", "http/addresses.ts", false, undefined],
  ["auth/authenticate.ts", "http/index.ts", false, /types alone/],
  ["auth/authenticate.ts", "http/retry.ts", true, /siblings/],
  ["content/copy.ts", "cellar/index.ts", false, /"cellar" has no floor/],
  ["content/copy.ts", "content/copy.test.ts", false, /nobody's library/],
  ["http/retry.test.ts", "registry/index.ts", false, undefined],
];

test("inside the library imports point down", () => {
  for (const [from, to, typeOnly, verdict] of inside) {
    const found = fault(library(from), { typeOnly }, { file: library(to) }, manifests);
    if (verdict === undefined) assert.equal(found, undefined, `${from} -> ${to}`);
    else assert.match(found ?? "nothing", verdict, `${from} -> ${to}`);
  }
});

const between: readonly [from: string, to: string, verdict: RegExp | undefined][] = [
  ["packages/cli/src/main.ts", "dray", undefined],
  ["packages/cli/src/main.ts", "@dray/server", undefined],
  ["packages/cli/src/main.ts", "commander", undefined],
  ["packages/cli/src/main.ts", "chalk", /does not list chalk/],
  ["packages/dray/src/oci/digest.ts", "dray", /its own package/],
  ["packages/dray/src/oci/digest.ts", "fast-check", /under dependencies$/],
  ["packages/dray/src/oci/digest.test.ts", "fast-check", undefined],
  ["packages/dray/src/http/retry.test.ts", "@dray/testkit", undefined],
  ["packages/dray/src/http/retry.ts", "@dray/testkit", /does not list/],
  ["packages/server/src/serve.ts", "@dray/testkit", /server does not lie above testkit/],
  ["packages/attic/src/index.ts", "dray", /"attic" has no floor/],
  ["e2e/copy.test.ts", "@dray/cli", undefined],
  ["scripts/build.ts", "anything", undefined],
];

test("packages know each other by name, the lower ones alone", () => {
  for (const [from, to, verdict] of between) {
    const found = fault(from, { typeOnly: false }, { package: to }, manifests);
    if (verdict === undefined) assert.equal(found, undefined, `${from} -> ${to}`);
    else assert.match(found ?? "nothing", verdict, `${from} -> ${to}`);
  }
});

test("no package is entered by a path", () => {
  const target = { file: "packages/dray/src/oci/index.ts" };
  for (const file of ["packages/cli/src/main.ts", "e2e/copy.test.ts"]) {
    assert.match(fault(file, { typeOnly: true }, target, manifests) ?? "nothing", /public name/);
  }
});
