import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { repositoryPatterns } from "./patterns.ts";

const cases: readonly [pattern: string, yes: readonly string[], no: readonly string[]][] = [
  ["a", ["a"], ["b", "aa", "a/b", "b/a"]],
  ["a/b", ["a/b"], ["a", "a/b/c", "a/bb"]],
  ["*", ["a", "abc-d.e_f"], ["a/b"]],
  ["**", ["a", "a/b", "a/b/c"], []],
  ["public/*", ["public/a"], ["public", "public/a/b", "x/public/a", "publica/b"]],
  ["public/**", ["public", "public/a", "public/a/b"], ["publics", "publics/a", "x/public"]],
  ["**/base", ["base", "a/base", "a/b/base"], ["a/base/b", "a/abase"]],
  ["a/**/z", ["a/z", "a/b/z", "a/b/c/z", "a/z/z"], ["a", "z", "a/z/b", "b/a/z"]],
  ["**/x/**", ["x", "a/x", "x/b", "a/x/b"], ["a/b", "ax"]],
  ["**/**", ["a", "a/b"], []],
  ["lib-*", ["lib-", "lib-a", "lib-a-b"], ["lib", "lib-a/b", "xlib-a"]],
  ["*-ci", ["x-ci", "-ci"], ["ci", "x-ci/a"]],
  ["a*b*c", ["abc", "axbxc", "abcbc"], ["ab", "acb", "abcd"]],
  ["v?", ["v1"], ["v", "v12", "v/1"]],
  ["a.b", ["a.b"], ["axb"]],
];

test("patterns over names of repositories", () => {
  for (const [pattern, yes, no] of cases) {
    const matches = repositoryPatterns([pattern]);
    for (const name of yes) assert.ok(matches(name), `${pattern} ${name}`);
    for (const name of no) assert.ok(!matches(name), `${pattern} ${name}`);
  }
});

test("any of several patterns, and none of none", () => {
  const matches = repositoryPatterns(["a", "b/**"]);
  assert.deepEqual(["a", "b", "b/c", "c", "a"].map(matches), [true, true, true, false, true]);
  assert.ok(!repositoryPatterns([])("a"));
});

test("what can match nothing is an error and not a surprise", () => {
  for (const pattern of [
    "",
    "/",
    "a/",
    "/a",
    "a//b",
    "A",
    "a b",
    "a**",
    "**a",
    "***",
    "{a,b}",
    "[ab]",
    "!a",
    "a\\*",
    "ä",
  ])
    assert.throws(() => repositoryPatterns([pattern]), { code: "CONFIG_INVALID" }, pattern);
});

test("patterns mean what the same written as regular expressions means", () => {
  const part = fc.string({ unit: fc.constantFrom("a", "b", "*", "?"), minLength: 1, maxLength: 4 });
  const patterns = fc.array(fc.oneof(part, fc.constant("**")), { minLength: 1, maxLength: 5 });
  const names = fc.array(fc.string({ unit: fc.constantFrom("a", "b"), minLength: 1, maxLength: 4 }), {
    minLength: 1,
    maxLength: 5,
  });
  fc.assert(
    fc.property(patterns, names, (parts, name) => {
      const plain = parts.map((text) => (text === "**" ? text : text.replace(/\*+/g, "*")));
      // Each component with a slash before it, so that `**` is any number of those.
      const source = plain.map((text) =>
        text === "**" ? "(?:/[^/]+)*" : `/${text.replace(/\*/g, "[^/]*").replace(/\?/g, "[^/]")}`,
      );
      const expected = new RegExp(`^${source.join("")}$`).test(`/${name.join("/")}`);
      assert.equal(repositoryPatterns([plain.join("/")])(name.join("/")), expected);
    }),
  );
});

test("no pattern takes long", () => {
  const stars = repositoryPatterns([`${"a*".repeat(60)}b`, `${"**/a/".repeat(60)}b`]);
  assert.ok(!stars("a".repeat(255)));
  assert.ok(!stars(Array<string>(127).fill("a").join("/")));
});
