import assert from "node:assert/strict";
import { test } from "node:test";
import { isDrayError } from "dray/errors";
import { tagFilter } from "./choose.ts";
import { type CreatedTag, firstOf, newestCreated, newestNaturally, newestVersion, versionedTag } from "./order.ts";

/** Mixed up the same way each time. */
const shuffled = <T>(items: readonly T[]): T[] => items.map((_, i) => items[(i * 7919 + 13) % items.length] as T);

async function* stream<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items;
}

test("newest version first", () => {
  const rows: readonly string[][] = [
    ["2.0.0", "1.10.0", "1.9.0"],
    ["v2.0.0", "1.10.0", "v1.9.0"],
    ["1.2.0", "1.2", "1.2.0-rc.1", "1.2.0-beta"],
    ["1.2.0-rc.11", "1.2.0-rc.2"],
    ["3.12.1", "3.12", "3", "2"],
    ["7.1.0-rc1", "7.0.15", "7.0.15-alpine", "7.0.14", "7", "6.9.9"],
    ["2024.10.1", "2024.05.01", "2024.04.30"],
    ["1.0.0", "latest", "edge", "99999999999999999999999", "1.2.3.4"],
  ];
  for (const row of rows)
    assert.deepEqual(
      shuffled(row)
        .map(versionedTag)
        .sort(newestVersion)
        .map(({ tag }) => tag),
      row,
    );
});

test("highest first, digits as numbers", () => {
  const rows: readonly string[][] = [
    ["b10", "b9", "b1", "a", ""],
    ["release-20", "release-3", "release"],
    ["1.10", "1.9", "1.1"],
    ["r123456789012345678901", "r123456789012345678900", "r9"],
    ["b", "a", "B", "A"],
    ["x01", "x1"].sort(newestNaturally),
    ["v3", "v2", "3", "2"],
  ];
  for (const row of rows) assert.deepEqual(shuffled(row).sort(newestNaturally), row);
});

test("created last first, unknown last", () => {
  const tags: CreatedTag[] = [
    { tag: "b", created: 3 },
    { tag: "a", created: 3 },
    { tag: "c", created: 1 },
    { tag: "e" },
    { tag: "d" },
  ];
  assert.deepEqual(shuffled(tags).sort(newestCreated), tags);
});

test("the first few of ten thousand", async () => {
  const versions = Array.from(
    { length: 10_000 },
    (_, i) => `v${Math.trunc(i / 1000)}.${Math.trunc(i / 10) % 100}.${i % 10}`,
  );
  const mixed = shuffled(versions).map(versionedTag);
  assert.equal(new Set(mixed.map(({ tag }) => tag)).size, 10_000);
  const expected = [...versions].reverse();
  const first = async (limit?: number) => (await firstOf(stream(mixed), newestVersion, limit)).map(({ tag }) => tag);
  assert.deepEqual(await first(), expected);
  for (const limit of [0, 1, 5, 999, 1000, 9_999, 10_000, 20_000])
    assert.deepEqual(await first(limit), expected.slice(0, limit), `limit ${limit}`);
});

test("which tags are wanted", () => {
  const tags = ["1.2", "1.2-alpine", "latest", ".hidden", "sha256-abc", "sha512-abc.sig", "v1", "v10"];
  const rows: readonly [Parameters<typeof tagFilter>[0], string[]][] = [
    [{}, tags],
    [{ omitDigestTags: true }, ["1.2", "1.2-alpine", "latest", ".hidden", "v1", "v10"]],
    [{ match: ["1.*"] }, ["1.2", "1.2-alpine"]],
    [{ match: ["1.*", "latest"], exclude: ["*-alpine"] }, ["1.2", "latest"]],
    [{ match: ["*"] }, tags],
    [{ match: ["v?"] }, ["v1"]],
    [{ match: ["{v1,latest}"] }, ["latest", "v1"]],
    [{ match: ["/^v[0-9]+$/"] }, ["v1", "v10"]],
    [{ exclude: ["/./"] }, []],
    [{ match: ["!latest"] }, []],
  ];
  for (const [choice, expected] of rows)
    assert.deepEqual(tags.filter(tagFilter(choice)), expected, JSON.stringify(choice));
  assert.throws(
    () => tagFilter({ match: ["/(/"] }),
    (error) => isDrayError(error, "USAGE"),
  );
});
