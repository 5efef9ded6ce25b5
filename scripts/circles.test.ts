import assert from "node:assert/strict";
import { test } from "node:test";
import { circlesIn, type Graph, neighbours } from "./circles.ts";

const graph = (text: string): Graph => {
  const edges = text.split(" ").map((edge) => edge.split(">") as [string, string]);
  const all = Map.groupBy(edges, ([from]) => from);
  return new Map([...all].map(([from, own]) => [from, new Set(own.map(([, to]) => to))]));
};

const rows: readonly [edges: string, circles: readonly string[]][] = [
  ["a>b b>c a>c", []],
  ["a>b b>a", ["a b"]],
  ["c>a a>b b>c", ["a b c"]],
  ["a>b b>c c>a b>a", ["a b"]],
  ["a>b b>a b>c c>d d>c", ["a b", "c d"]],
  ["a>b b>c c>d d>b", ["b c d"]],
];

test("circles are found once, by their shortest way", () => {
  for (const [edges, expected] of rows) {
    const found = circlesIn(graph(edges)).map((way) => way.join(" "));
    assert.deepEqual(found.sort(), expected, edges);
  }
});

const folded: readonly [edges: string, neighbours: string][] = [
  ["p/a/one.ts>p/b/two.ts", "p/a>p/b"],
  ["p/a/one.ts>p/a/two.ts", "p/a/one.ts>p/a/two.ts"],
  ["p/a/deep/one.ts>p/b/deep/two.ts", "p/a>p/b"],
  ["p/a/deep/one.ts>p/a/two.ts", "p/a/deep>p/a/two.ts"],
  ["p/a/one.ts>p/main.ts", "p/a>p/main.ts"],
];

test("imports of files are imports of what lies beside each other", () => {
  for (const [edges, expected] of folded) {
    const found = [...neighbours(graph(edges))].flatMap(([from, all]) => [...all].map((to) => `${from}>${to}`));
    assert.deepEqual(found, [expected], edges);
  }
});
