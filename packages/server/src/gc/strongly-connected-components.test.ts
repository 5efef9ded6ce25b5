import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Yielding } from "dray/internal/async";
import fc from "fast-check";
import { stronglyConnectedComponents } from "./strongly-connected-components.ts";

type Graph = ReadonlyMap<number, readonly number[]>;

const graph = fc
  .uniqueArray(fc.tuple(fc.nat({ max: 12 }), fc.array(fc.nat({ max: 14 }), { maxLength: 4 })), {
    selector: ([node]) => node,
    maxLength: 13,
  })
  .map((entries): Graph => new Map(entries));

const reach = (graph: Graph, from: number, seen: Set<number> = new Set()): Set<number> => {
  for (const to of graph.get(from) ?? [])
    if (graph.has(to) && !seen.has(to)) {
      seen.add(to);
      reach(graph, to, seen);
    }
  return seen;
};

const groups = (graph: Graph): Promise<number[][]> =>
  stronglyConnectedComponents(new Set(graph.keys()), (node) => graph.get(node) ?? [], new Yielding());

describe("groupsOf", () => {
  it("puts together exactly what holds each other", async () => {
    await fc.assert(
      fc.asyncProperty(graph, async (graph) => {
        const found = await groups(graph);
        assert.deepEqual(
          found.flat().sort((a, b) => a - b),
          [...graph.keys()].sort((a, b) => a - b),
        );
        for (const node of graph.keys()) {
          const group = found.find((members) => members.includes(node)) as number[];
          for (const other of graph.keys()) {
            const together = other === node || (reach(graph, node).has(other) && reach(graph, other).has(node));
            assert.equal(group.includes(other), together);
          }
        }
      }),
    );
  });

  it("puts what holds before what is held", async () => {
    await fc.assert(
      fc.asyncProperty(graph, async (graph) => {
        const found = await groups(graph);
        const place = new Map(found.flatMap((members, at) => members.map((member) => [member, at] as const)));
        for (const [node, children] of graph)
          for (const child of children)
            if (graph.has(child)) assert.ok((place.get(node) as number) <= (place.get(child) as number));
      }),
    );
  });

  it("survives long chains", async () => {
    const long = 50_000;
    const chain = new Map(Array.from({ length: long }, (_, node) => [node, [node + 1]]));
    assert.equal((await groups(chain)).length, long);
    chain.set(long - 1, [0]);
    assert.equal((await groups(chain)).length, 1);
  });
});
