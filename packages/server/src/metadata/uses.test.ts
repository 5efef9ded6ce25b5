import assert from "node:assert/strict";
import { test } from "node:test";
import { Statements } from "@dray/service/sqlite";
import { type Digest, digestOf } from "dray/oci";
import fc from "fast-check";
import { withDatabase } from "../../test/database.ts";
import { keyOf, packed } from "./digest-key.ts";
import { indexFormat } from "./schema.ts";
import { Uses } from "./uses.ts";

/** Digests of which every four begin with the same 48 bits. */
const digests: readonly Digest[] = Array.from({ length: 32 }, (_, i) => {
  const [first, own] = [digestOf(Buffer.from([i >> 2])), digestOf(Buffer.from([i]))];
  return `${first.slice(0, 19)}${own.slice(19)}` as Digest;
});
/** Those that begin alike have one size: a row is found by the beginning. */
const sizeOf = (digest: Digest): number => digests.indexOf(digest) >> 2;
const digest = fc.constantFrom(...digests);

test("uses are found wherever they lie on their way into the large table, and whatever else begins like them", () => {
  const step = fc.oneof(
    {
      weight: 3,
      arbitrary: fc.record({ put: digest, children: fc.array(digest, { maxLength: 6 }), in: fc.constantFrom(1, 2) }),
    },
    { weight: 1, arbitrary: fc.record({ remove: fc.nat(40) }) },
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      withDatabase(":memory:", (database) => {
        database.exec(indexFormat.schema);
        database.exec("INSERT INTO repositories VALUES (1, 'one'), (2, 'two')");
        const statements = new Statements(database);
        const uses = new Uses(statements, { most: 12, slice: 4 });
        const model = new Map<number, { repository: number; digest: Digest; children: Digest[] }>();
        for (const [i, each] of steps.entries())
          if ("remove" in each) {
            const gone = model.get(each.remove);
            if (gone === undefined) continue;
            uses.remove(gone.repository, each.remove, [gone.digest, ...gone.children]);
            statements.run("DELETE FROM manifests WHERE id = ?", each.remove);
            model.delete(each.remove);
          } else {
            if ([...model.values()].some((other) => other.repository === each.in && other.digest === each.put))
              continue;
            statements.run(
              "INSERT INTO manifests VALUES (?, ?, ?, '', 0, NULL, NULL, NULL, 1, 0, ?)",
              i,
              each.in,
              keyOf(each.put),
              packed(each.children),
            );
            uses.add(each.in, i, [
              [each.put, undefined],
              ...each.children.map((child) => [child, sizeOf(child)] as const),
            ]);
            model.set(i, { repository: each.in, digest: each.put, children: each.children });
          }
        const all = [...model.values()];
        for (const each of digests) {
          const parents = all.filter(({ children }) => children.includes(each));
          const holders = new Set(parents.map(({ repository }) => (repository === 1 ? "one" : "two")));
          assert.deepEqual(new Set(uses.holders(each)), holders);
          for (const repository of [1, 2]) {
            const isChild = parents.some((parent) => parent.repository === repository);
            assert.equal(uses.in(repository, each), isChild);
            assert.deepEqual(uses.sizes(repository, each), isChild ? [sizeOf(each)] : []);
            const inside = parents.filter((parent) => parent.repository === repository).map((parent) => parent.digest);
            assert.deepEqual(uses.parents(repository, each, 100).sort(), inside.sort());
            const some = uses.parents(repository, each, 2);
            assert.ok(some.length >= Math.min(3, inside.length) && some.every((one) => inside.includes(one)));
          }
          assert.equal(uses.anywhere(each), parents.length > 0 || all.some((manifest) => manifest.digest === each));
        }
        const rows = all.reduce(
          (sum, { digest: own, children }) => sum + new Set([own, ...children].map((d) => d.slice(0, 19))).size,
          0,
        );
        const count = (table: string): number => (statements.get(`SELECT count(*) FROM ${table}`) as [number])[0];
        assert.equal(count("uses") + count("recent_uses"), rows, "nothing is lost, and nothing stays behind");
      });
    }),
    { numRuns: 100 },
  );
});
