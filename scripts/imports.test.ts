import assert from "node:assert/strict";
import { posix } from "node:path";
import { test } from "node:test";
import { floors } from "./floors.ts";
import { importFaults } from "./import-faults.ts";
import { type Fault, fault, type Manifest, readImports } from "./imports.ts";
import { readRepository } from "./repository.ts";

const manifests = new Map<string, Manifest>([
  ["dray", { name: "dray", dependencies: [], devDependencies: ["@dray/testkit", "fast-check"] }],
  ["testkit", { name: "@dray/testkit", dependencies: ["dray"], devDependencies: [] }],
  ["server", { name: "@dray/server", dependencies: ["dray", "@dray/testkit"], devDependencies: [] }],
  ["cli", { name: "@dray/cli", dependencies: ["dray", "@dray/server", "commander"], devDependencies: [] }],
]);

const verdictOf = (found: Fault | undefined): string => found?.reason ?? "nothing";
const library = (file: string): string => `packages/dray/src/${file}`;

test("imports are read with their line", () => {
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
  const found = readImports(source).map(({ specifier, line }) => [line, specifier]);
  assert.deepEqual(
    found.sort((a, b) => Number(a[0]) - Number(b[0])),
    [
      [1, "./a.ts"],
      [2, "./b.ts"],
      [3, "./d.ts"],
      [7, "./e.ts"],
      [8, "./f.ts"],
      [9, "./g.ts"],
      [10, "./h.worker.ts"],
      [14, "node:i"],
    ],
  );
});

const inside: readonly [from: string, to: string, verdict: RegExp | undefined][] = [
  ["content/copy.ts", "oci/index.ts", undefined],
  ["content/copy.ts", "content/walk.ts", undefined],
  ["oci/digest.ts", "errors.ts", undefined],
  ["index.ts", "locations/index.ts", undefined],
  ["image/image.ts", "registry/index.ts", undefined],
  ["oci/digest.ts", "content/index.ts", /oci lies below content/],
  ["errors.ts", "oci/index.ts", /errors.ts lies below oci/],
  ["layout/store.ts", "archive/index.ts", /siblings/],
  ["http/retry.ts", "auth/index.ts", /http lies below auth/],
  ["auth/authenticate.ts", "http/index.ts", undefined],
  ["auth/authenticate.ts", "http/types.ts", /goes past http\/index.ts/],
  ["content/copy.ts", "cellar/index.ts", /"cellar" has no floor/],
  ["content/copy.ts", "content/copy.test.ts", /nobody's library/],
  ["http/retry.test.ts", "registry/index.ts", undefined],
  ["content/copy.ts", "../test/receive.ts", /nothing from test/],
  ["content/copy.test.ts", "../test/receive.ts", undefined],
  ["content/copy.ts", "oci/digest.ts", /goes past oci\/index.ts/],
  ["content/copy.test.ts", "oci/digest.ts", undefined],
  ["content/copy.ts", "content/walk/steps.ts", /goes past content\/walk\/index.ts/],
  ["content/copy.ts", "oci/deep/index.ts", /goes past oci\/index.ts/],
  ["content/walk/steps.ts", "content/copy.ts", undefined],
  ["content/walk/index.ts", "content/index.ts", undefined],
  ["content/walk/steps.ts", "oci/index.ts", undefined],
];

test("inside the library imports point down", () => {
  for (const [from, to, verdict] of inside) {
    const found = fault(library(from), { file: posix.join(library(to)) }, manifests);
    if (verdict === undefined) assert.equal(found, undefined, `${from} -> ${to}`);
    else assert.match(verdictOf(found), verdict, `${from} -> ${to}`);
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
    const found = fault(from, { package: to }, manifests);
    if (verdict === undefined) assert.equal(found, undefined, `${from} -> ${to}`);
    else assert.match(verdictOf(found), verdict, `${from} -> ${to}`);
  }
});

const repository = readRepository();
const packages = [...repository.manifests.keys()].filter((name) => name !== "bench");

test("nothing in this repository points the wrong way", () => {
  assert.deepEqual(importFaults(repository.sources, repository.manifests), []);
});

test("each package has its floors, and every room of it stands on one", () => {
  for (const name of packages) {
    const table = floors[name];
    assert.ok(table, name);
    const rooms = table.flat();
    assert.equal(new Set(rooms).size, rooms.length, `${name}: a room stands on two floors`);
  }
});

for (const name of packages) {
  test(`an import that points up is refused in ${name}`, () => {
    const room = (one: string): string => `packages/${name}/src/${one}${one.endsWith(".ts") ? "" : "/index.ts"}`;
    const built = floors[name]?.map((floor) => floor.find((one) => repository.sources.has(room(one)))) ?? [];
    const [lowest, highest] = [built.find((one) => one !== undefined), built.findLast((one) => one !== undefined)];
    assert.ok(lowest !== undefined && highest !== undefined && lowest !== highest);
    const [file, target] = [room(lowest), room(highest)];
    const way = posix.relative(posix.dirname(file), target);
    const line = `import "${way.startsWith(".") ? way : `./${way}`}";\n`;
    const changed = new Map(repository.sources).set(file, `${line}${repository.sources.get(file)}`);
    const added = importFaults(changed, repository.manifests);
    const reason = `${lowest} lies below ${highest}; imports point down`;
    assert.ok(
      added.some(({ kind, text }) => kind === "floor" && text.startsWith(`${file}:1: `) && text.endsWith(reason)),
      added.map(({ text }) => text).join("\n"),
    );
    assert.ok(added.some(({ kind }) => kind.startsWith("circle of ")));
  });
}

test("no package is entered by a path", () => {
  const target = { file: "packages/dray/src/oci/index.ts" };
  for (const file of ["packages/cli/src/main.ts", "e2e/copy.test.ts"]) {
    assert.match(verdictOf(fault(file, target, manifests)), /public name/);
  }
});
