import assert from "node:assert/strict";
import { test } from "node:test";
import { isDrayError } from "dray/errors";
import { array, constantFrom, assert as holds, integer, oneof, property, string, tuple } from "fast-check";
import { byDate, byNumber, byText, byVersion, isPlace, type Order, type Place } from "./index.ts";

const sorted = (order: Order, values: readonly string[]): string[] =>
  values
    .flatMap((value) => order.read(value))
    .filter(isPlace)
    .sort(order.compare)
    .map(({ value }) => value);

const left = (order: Order, value: string): string | undefined => {
  const read = order.read(value);
  return isPlace(read) ? undefined : read.code;
};

const mixed = <T>(items: readonly T[]): T[] => items.map((_, i) => items[(i * 7919 + 5) % items.length] as T);

test("numbers of any length, exactly; what is none is left out, and the others stay", () => {
  const row = [
    "9007199254740993",
    "9007199254740992",
    "1234567",
    "100",
    "20.5",
    "20.25",
    "9",
    "0.1",
    "0",
    "-1",
    "-10.5",
    "-20",
  ];
  assert.deepEqual(sorted(byNumber, [...mixed(row), "latest", "1.2.3", "1e9", "0x10", ""]), row);
  for (const none of ["latest", "1.2.3", "1e9", "0x10", "", "Infinity", "1.", ".5", "1 "])
    assert.equal(left(byNumber, none), "not-number", none);
  assert.equal(byNumber.compare(byNumber.read("007") as Place, byNumber.read("7.0") as Place), 0);
});

test("numbers are compared as numbers are", () => {
  const number = oneof(
    integer(),
    integer({ min: -5, max: 5 }),
    tuple(integer(), integer({ min: 0, max: 99 })).map(([a, b]) => Number(`${a}.${b}`)),
  );
  holds(
    property(number, number, (a, b) => {
      const order = byNumber.compare(byNumber.read(String(a)) as Place, byNumber.read(String(b)) as Place);
      assert.equal(Math.sign(order) + 0, Math.sign(b - a) + 0, `${a} ${b}`);
    }),
    { numRuns: 1000 },
  );
});

test("letters by code units", () => {
  const row = ["b", "a", "Z", "B", "10-c", "10", "1", "09"];
  assert.deepEqual(sorted(byText, mixed(row)), row);
});

test("dates as people write them", () => {
  const rows: readonly string[][] = [
    ["2025.01.02", "2024.12.31", "2024.05.01", "2024.05"],
    ["24.10", "24.04.2", "24.04.1", "24.04", "22.10"],
    ["20240502", "20240501.2", "20240501"],
    ["RELEASE.2024-05-10T01-41-38Z", "RELEASE.2024-05-09T23-00-00Z", "RELEASE.2023-12-31T00-00-00Z"],
    ["v2024.10.1", "v2024.9.30"],
    ["2024.05.123", "2024.05.99"],
    ["2024.05.01", "2024.05.01-rc10", "2024.05.01-rc9"],
    ["2024-05-02-alpine", "2024-05-01-alpine"],
    ["20240501T120000", "20240501T110000"],
  ];
  for (const row of rows) assert.deepEqual(sorted(byDate(), mixed(row)), row, row.join(" "));
  for (const none of [
    "latest",
    "1.2.3",
    "3.12",
    "2024",
    "2024.13.01",
    "20241301",
    "24.13",
    "1234567",
    "4f8a2c1",
    "24.123",
    "",
  ])
    assert.equal(left(byDate(), none), "not-calver", none);
  assert.equal((byDate().read("2024.05.01-alpine") as Place).flavour, "alpine");
  assert.equal((byDate().read("24.04-rc1") as Place).prerelease, "rc1");
});

test("dates of a format", () => {
  const rows: readonly [format: string, sorted: string[], none: string[]][] = [
    ["YYYY.0M.MICRO", ["2024.05.10", "v2024.05.9", "2023.12.100"], ["2024.5.1", "2024.05", "24.05.1"]],
    ["YY.0M", ["24.10", "24.04", "4.04"], ["24.4", "2024.04", "24.04.1"]],
    ["YYYY.MM.DD", ["2024.10.1", "2024.9.30"], ["2024.09.30"]],
    ["YYYY-0W", ["2024-10", "2024-09"], ["2024-60"]],
    ["0Y.MINOR.MICRO", ["24.2.0", "24.1.9"], ["1.2.3"]],
    ["release-YYYY0M0D", ["release-20240502", "release-20240501-rc1"], ["20240502"]],
  ];
  for (const [format, row, none] of rows) {
    assert.deepEqual(sorted(byDate(format), mixed(row)), row, format);
    for (const each of none) assert.equal(left(byDate(format), each), "not-calver", `${format} ${each}`);
  }
  const refused: readonly [format: string, says: RegExp][] = [
    ["YYYYY.MM", /there is no part "YYYYY"; did you mean YYYY\?/],
    ["MM.DD", /it has no year/],
    ["YYYY.MM.0M", /"0M" says month a second time/],
    ["", /it has no year/],
  ];
  for (const [format, says] of refused)
    assert.throws(
      () => byDate(format),
      (error) => isDrayError(error, "USAGE") && says.test(error.message),
      format,
    );
});

test("each is an order", () => {
  const value = oneof(
    string({ maxLength: 4 }),
    constantFrom(
      "2024.05",
      "2024.05.01",
      "2024.05.0",
      "24.05",
      "24.05-rc1",
      "2024.05-alpine",
      "1.0",
      "01",
      "-0",
      "0",
      "1.2.3-rc9",
      "1.2.3-rc10",
    ),
    tuple(integer({ min: 20, max: 25 }), constantFrom(".04", ".4", ".10-rc1", "")).map((parts) => parts.join("")),
  );
  for (const order of [byDate(), byNumber, byText, byVersion({})])
    holds(
      property(array(value, { minLength: 3, maxLength: 3 }), (values) => {
        const places = values.map(order.read).filter(isPlace);
        const [a, b, c] = places;
        if (a === undefined || b === undefined || c === undefined) return;
        const compare = (x: Place, y: Place): number => Math.sign(order.compare(x, y));
        assert.equal(compare(a, b), 0 - compare(b, a));
        assert.equal(compare(a, a), 0);
        if (compare(a, b) <= 0 && compare(b, c) <= 0) assert.ok(compare(a, c) <= 0, values.join(" "));
      }),
      { numRuns: 2000 },
    );
});
