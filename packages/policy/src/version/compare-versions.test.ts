import assert from "node:assert/strict";
import { test } from "node:test";
import { array, constantFrom, assert as holds, nat, oneof, property, string, tuple } from "fast-check";
import semver from "semver";
import { firstOf } from "../natural.ts";
import { newestVersion, type VersionedTag, versionedTag } from "./compare-versions.ts";
import { readVersion } from "./read-version.ts";

/** Mixed up the same way each time. */
const shuffled = <T>(items: readonly T[]): T[] => items.map((_, i) => items[(i * 7919 + 13) % items.length] as T);

async function* stream<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items;
}

const sorted = (tags: readonly string[]): string[] =>
  tags
    .map(versionedTag)
    .sort(newestVersion)
    .map(({ tag }) => tag);

test("newest version first", () => {
  const rows: readonly string[][] = [
    ["2.0.0", "1.10.0", "1.9.0"],
    ["v2.0.0", "1.10.0", "v1.9.0"],
    ["1.2.0", "1.2", "1.2.0-rc.1", "1.2.0-beta"],
    ["1.2.0-rc.11", "1.2.0-rc.2"],
    ["3.12.1", "3.12", "3", "2"],
    ["7.1.0-rc1", "7.0.15", "7.0.15-alpine", "7.0.14", "7", "6.9.9"],
    ["2024.10.1", "2024.05.01", "2024.04.30"],
    ["1.0.0", "latest", "edge", "99999999999999999999999"],
    ["1.2.4", "1.2.3.10", "1.2.3.9", "1.2.3.9-rc.1", "1.2.3.0", "1.2.3"],
    ["2.5.0p13", "2.5.0p9", "2.5.0", "2.5.0b1"],
    ["1.0.0-rc10", "1.0.0-rc9", "1.0.0-rc1"],
    ["3.14.0", "3.14.0rc2", "3.14.0rc1", "3.14.0b4", "3.14.0a10", "3.14.0a9"],
    ["1.0.0", "1.0.0-rc.1", "1.0.0-rc", "1.0.0-1"],
    ["17.0.9_10-jdk", "17.0.9_9-jdk"],
    ["1.2.3-r10", "1.2.3-r9", "1.2.3"],
    ["2.0.0", "57", "20240115", "1234567"].toSpliced(1, 1),
    ["1.2.0", "v1.2.0"].sort((a, b) => newestVersion(versionedTag(a), versionedTag(b))),
    ["1.2-alpine", "1.2-rc1-alpine", "1.2-rc1"].sort((a, b) => newestVersion(versionedTag(a), versionedTag(b))),
  ];
  for (const row of rows) assert.deepEqual(sorted(shuffled(row)), row);
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

const number = oneof(nat(3), nat(12));
const word = constantFrom("rc", "rc9", "rc10", "alpha", "beta2", "0", "1", "10", "x-1", "4f8a2c1d");
const prerelease = array(word, { maxLength: 3 }).map((words) => (words.length === 0 ? "" : `-${words.join(".")}`));
const version = tuple(number, number, number, prerelease).map(([a, b, c, rest]) => `${a}.${b}.${c}${rest}`);
const anyTag = oneof(
  version,
  tuple(constantFrom("", "v"), number, number, constantFrom("", "-alpine", "-rc1-slim", "rc2", "_3", "-r4")).map(
    ([v, a, b, rest]) => `${v}${a}.${b}${rest}`,
  ),
  string({ maxLength: 6 }),
  constantFrom("latest", "1234567", "4f8a2c1", "1", "01.02"),
);

test("the order is one: two are compared alike both ways, three never go in a circle, and only what is the same is equal", () => {
  const compare = (a: VersionedTag, b: VersionedTag): number => Math.sign(newestVersion(a, b));
  holds(
    property(anyTag, anyTag, anyTag, (...tags) => {
      const [a, b, c] = tags.map(versionedTag) as [VersionedTag, VersionedTag, VersionedTag];
      assert.equal(compare(a, b), 0 - compare(b, a));
      assert.equal(compare(a, b) === 0, a.tag === b.tag);
      if (compare(a, b) <= 0 && compare(b, c) <= 0) assert.ok(compare(a, c) <= 0, tags.join(" "));
    }),
    { numRuns: 2000 },
  );
});

test("a list is sorted alike however it came", () => {
  holds(
    property(array(anyTag, { maxLength: 12 }), (tags) => assert.deepEqual(sorted([...tags].reverse()), sorted(tags))),
  );
});

test("versions are compared as npm's semver does, but for numbers in the midst of an identifier", () => {
  const isMixed = (text: string): boolean => /[a-z][0-9]|[0-9][a-z]/.test(text);
  holds(
    property(version, version, (a, b) => {
      if (isMixed(a) || isMixed(b)) return;
      const [x, y] = [readVersion(a, { strict: true }), readVersion(b, { strict: true })];
      assert.equal(x !== undefined && y !== undefined, true);
      const ours = newestVersion({ tag: "", version: x! }, { tag: "", version: y! });
      assert.equal(Math.sign(ours), 0 - semver.compare(a, b), `${a} ${b}`);
    }),
    { numRuns: 2000 },
  );
});
