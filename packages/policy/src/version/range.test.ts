import assert from "node:assert/strict";
import { test } from "node:test";
import { isDrayError } from "dray/errors";
import { array, asyncProperty, constantFrom, assert as holds, nat, tuple } from "fast-check";
import semver from "semver";
import { asked, inRange } from "../../test/masterminds.ts";
import { readRange } from "./range.ts";
import { readVersion, type Version } from "./read-version.ts";

const strict = (text: string): Version => {
  const read = readVersion(text, { strict: true });
  assert.ok(read !== undefined, text);
  return read;
};

test("ranges hold what Flux's library says", async () => {
  for (const [range, versions] of inRange) {
    const isIn = await readRange(range);
    assert.equal(asked.filter((each) => isIn(strict(each))).join(" "), versions, range);
  }
});

test("ranges of releases hold what npm says", async () => {
  const number = nat(4);
  const version = tuple(number, number, number).map((parts) => parts.join("."));
  const part = tuple(constantFrom("^", "~", ">=", "<", "<=", ">", "", "="), version, nat(2)).map(
    ([operator, text, cut]) =>
      `${operator}${text
        .split(".")
        .slice(0, 3 - cut)
        .join(".")}`,
  );
  const range = array(array(part, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 2 }).map((all) =>
    all.map((each) => each.join(" ")).join(" || "),
  );
  await holds(
    asyncProperty(range, version, async (text, each) => {
      assert.equal((await readRange(text))(strict(each)), semver.satisfies(each, text), `${each} in ${text}`);
    }),
    { numRuns: 500 },
  );
});

test("rc10 is above rc9 in a range as well, and pre-releases may be let in", async () => {
  const later = await readRange(">=1.0.0-rc9");
  assert.deepEqual(
    ["1.0.0-rc8", "1.0.0-rc9", "1.0.0-rc10", "1.0.0"].filter((each) => later(strict(each))),
    ["1.0.0-rc9", "1.0.0-rc10", "1.0.0"],
  );
  assert.equal((await readRange("^1"))(strict("1.3.0-rc.1")), false);
  assert.equal((await readRange("^1", { prerelease: true }))(strict("1.3.0-rc.1")), true);
  assert.equal((await readRange(""))(strict("1.3.0")), true);
});

test("what is no range is refused, with what may have been meant", async () => {
  const rows: readonly [range: string, says: RegExp][] = [
    ["latest", /semver range "latest": "latest" is no version.*such as "\^1\.2"/],
    ["^1.2.3.4", /"\^1\.2\.3\.4" is no version.*such as "\^1\.2\.3"/],
    ["!1.2", /"!1\.2" is no version.*such as "\^1\.2"/],
    [">=1.2 <", /"<" is no version/],
    ["1.2 -", /"-" is no version/],
  ];
  for (const [range, says] of rows)
    await assert.rejects(readRange(range), (error) => isDrayError(error, "USAGE") && says.test(error.message), range);
});
