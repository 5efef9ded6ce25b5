import assert from "node:assert/strict";
import { test } from "node:test";
import { isDrayError } from "dray/errors";
import { array, constantFrom, assert as holds, property } from "fast-check";
import { expression } from "./expression.ts";
import { extraction } from "./extract.ts";
import { glob } from "./glob.ts";
import { tagFilter } from "./tag-filter.ts";

const refuses = (says: RegExp) => (error: unknown) => {
  assert.ok(isDrayError(error, "USAGE"));
  assert.match(error.message, says);
  return true;
};

test("which tags are wanted", async () => {
  const tags = ["1.2", "1.2-alpine", "latest", ".hidden", "sha256-abc", "sha512-abc.sig", "v1", "v10"];
  const rows: readonly [Parameters<typeof tagFilter>[0], string[]][] = [
    [{}, tags],
    [{ omitDigestTags: true }, ["1.2", "1.2-alpine", "latest", ".hidden", "v1", "v10"]],
    [{ match: ["1.*"] }, ["1.2", "1.2-alpine"]],
    [{ match: ["1.*", "latest"], exclude: ["*-alpine"] }, ["1.2", "latest"]],
    [{ match: ["*"] }, tags],
    [{ match: ["v?"] }, ["v1"]],
    [{ match: ["{v1,latest}"] }, ["latest", "v1"]],
    [{ match: ["v[0-9]"] }, ["v1"]],
    [{ match: ["/^v[0-9]+$/"] }, ["v1", "v10"]],
    [{ exclude: ["/./"] }, []],
    [{ match: ["!latest"] }, []],
  ];
  for (const [choice, expected] of rows)
    assert.deepEqual(tags.filter(await tagFilter(choice)), expected, JSON.stringify(choice));
  await assert.rejects(tagFilter({ match: ["/(/"] }), refuses(/expression "\(": missing closing \)/));
  await assert.rejects(tagFilter({ match: [""] }), refuses(/glob "": an empty one fits nothing/));
  for (const open of ["{a,b", "[ab", "a\\"].slice(0, 1))
    await assert.rejects(tagFilter({ match: [open] }), refuses(/is not closed/), open);
});

test("globs of stars and question marks fit as their expressions do, and are linear", () => {
  const letter = constantFrom("a", "b", "*", "?", "-", ".");
  const pattern = array(letter, { minLength: 1, maxLength: 8 }).map((all) => all.join(""));
  const text = array(constantFrom("a", "b", "-", "."), { maxLength: 10 }).map((all) => all.join(""));
  holds(
    property(pattern, text, (wanted, each) => {
      const same = wanted.replace(/[.-]/g, "\\$&").replace(/\*+/g, ".*").replaceAll("?", ".");
      assert.equal(glob(wanted)(each), new RegExp(`^${same}$`).test(each), `${wanted} ${each}`);
    }),
    { numRuns: 2000 },
  );
  const long = glob(`${"*a".repeat(40)}*b`);
  for (let i = 0; i < 100; i++) assert.equal(long("a".repeat(128)), false);
  assert.throws(() => glob("{*a*a*a*a*b,x}"), refuses(/more than 2 stars beside braces/));
});

test("expressions are those of RE2, take linear time, and say why they are none", async () => {
  const evil = await expression("^(a+)+$");
  for (let i = 0; i < 100; i++) assert.equal(evil.test(`${"a".repeat(127)}!`), false);
  const rows: readonly [text: string, says: RegExp][] = [
    ["(", /expression "\(": missing closing \)/],
    ["^(?!.*rc)", /linear time, and look neither ahead nor behind/],
    ["(?<=v)1", /look neither ahead nor behind/],
    ["(a)\\1", /refer to no earlier group/],
    ["a{2000}", /invalid repeat count/],
  ];
  for (const [text, says] of rows) await assert.rejects(expression(text), refuses(says), text);
});

test("what is taken out of a tag", async () => {
  const found = await expression("^(?P<version>[0-9.]+)-(?P<build>b([0-9]+))?(.*)$");
  const rows: readonly [template: string, value: string | undefined][] = [
    ["$version", "1.2"],
    ["$1", "1.2"],
    ["${version}-${3}", "1.2-7"],
    ["v$1+$build", "v1.2+b7"],
    ["$0", "1.2-b7x"],
    ["$$1", "$1"],
    ["none", "none"],
  ];
  for (const [template, value] of rows) assert.equal(extraction(found, template)("1.2-b7x"), value, template);
  assert.equal(extraction(found, "$version")("latest"), undefined);
  assert.equal(extraction(found, "[$build]")("1.2-x"), "[]");
  const refused: readonly [template: string, says: RegExp][] = [
    ["$verison", /"\$verison" is no group of .*; did you mean "\$version"\?/],
    ["$5", /"\$5" is no group of .*, which has \$1, \$2, \$3, \$4, \$version, \$build/],
    ["$1x", /did you mean "\$\{1\}"\?/],
    ["a$", /a "\$" alone stands for nothing/],
  ];
  for (const [template, says] of refused) assert.throws(() => extraction(found, template), refuses(says), template);
  assert.throws(() => extraction({ ...found, groups: 0, names: [] }, "$1"), refuses(/has none: put what you want/));
});

test("a glob in which brackets repeat is refused: it may take for ever", () => {
  for (const pattern of ["(+(a))+b", "((a+)*)b", "(a+a+a+a+a+)b", "(a|b)+"])
    assert.throws(() => glob(pattern), /for ever; write an expression/, pattern);
  assert.equal(glob("+(a|b)")("abba"), true);
  assert.equal(glob("c++*")("c++17"), true);
});
