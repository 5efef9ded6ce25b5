import assert from "node:assert/strict";
import { test } from "node:test";
import { ageText, type CreatedTag, knownTime, newestCreated } from "./times.ts";

test("created last first, unknown last", () => {
  const tags: CreatedTag[] = [
    { tag: "b", created: 3 },
    { tag: "a", created: 3 },
    { tag: "c", created: 1 },
    { tag: "e" },
    { tag: "d" },
  ];
  assert.deepEqual(
    [tags[3], tags[1], tags[4], tags[0], tags[2]].map((each) => each as CreatedTag).sort(newestCreated),
    tags,
  );
});

test("times that stand for none are unknown", () => {
  const now = Date.UTC(2026, 11, 1);
  for (const none of [
    0,
    1000,
    "1970-01-01T00:00:00Z",
    "1970-01-01T00:00:01Z",
    "1980-01-01T00:00:01Z",
    "1979-12-31T22:00:00Z",
    "0001-01-01T00:00:00Z",
    "2026-12-03T00:00:00Z",
    "2100-01-01T00:00:00Z",
    "yesterday",
    "",
    Number.NaN,
    Number.POSITIVE_INFINITY,
    undefined,
    new Date("no"),
  ])
    assert.equal(knownTime(none, now), undefined, String(none));
  assert.equal(knownTime("2026-12-01T12:00:00Z", now), now + 43_200_000);
  assert.equal(knownTime(new Date(now), now), now);
  assert.equal(knownTime("2013-03-20T00:00:00Z"), Date.UTC(2013, 2, 20));
});

test("ages for people", () => {
  const rows: readonly [number, string][] = [
    [-5, "0m"],
    [59_999, "0m"],
    [90_000, "1m"],
    [3_600_000, "1h"],
    [47 * 3_600_000, "47h"],
    [3 * 86_400_000, "3d"],
  ];
  for (const [age, text] of rows) assert.equal(ageText(age), text);
});
