import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  coversScopes,
  formatScope,
  mergeScopes,
  parseScope,
  parseScopes,
  resourcesKey,
  type Scope,
  scopesKey,
} from "./scope.ts";

const forms: [text: string, scope: Scope][] = [
  ["repository:library/alpine:pull", { type: "repository", name: "library/alpine", actions: ["pull"] }],
  ["repository:a/b:pull,push", { type: "repository", name: "a/b", actions: ["pull", "push"] }],
  ["repository:host:5000/a:pull", { type: "repository", name: "host:5000/a", actions: ["pull"] }],
  ["repository(plugin):a:pull", { type: "repository(plugin)", name: "a", actions: ["pull"] }],
  ["registry:catalog:*", { type: "registry", name: "catalog", actions: ["*"] }],
  ["repository:a:", { type: "repository", name: "a", actions: [] }],
  ["aws", { type: "aws", name: "", actions: [] }],
  ["a:b", { type: "a:b", name: "", actions: [] }],
  [":x:y", { type: ":x:y", name: "", actions: [] }],
];

for (const [text, scope] of forms) {
  test(`a scope: ${text}`, () => {
    assert.deepEqual(parseScope(text), scope);
    assert.equal(formatScope(scope), text);
  });
}

test("any text is a scope, and writing it settles its form", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[a-z:,*]{0,20}$/)), (text) => {
      const once = formatScope(parseScope(text));
      assert.equal(formatScope(parseScope(once)), once);
    }),
  );
});

test("several scopes in one text, as in a challenge", () => {
  assert.deepEqual(parseScopes(["repository:a:pull  repository:b:push", "", "repository:a:push"]).map(formatScope), [
    "repository:a:pull,push",
    "repository:b:push",
  ]);
});

test("merging keeps resources apart and the order they came in", () => {
  const merged = mergeScopes(
    parseScopes(["repository:b:push", "repository:a:pull"]),
    parseScopes(["repository:b:pull"]),
  );
  assert.deepEqual(merged.map(formatScope), ["repository:b:push,pull", "repository:a:pull"]);
});

const coverage: [held: string, wanted: string, covered: boolean][] = [
  ["repository:a:pull", "repository:a:pull", true],
  ["repository:a:pull,push", "repository:a:push", true],
  ["repository:a:pull", "repository:a:pull,push", false],
  ["repository:a:*", "repository:a:delete", true],
  ["repository:a:pull", "repository:ab:pull", false],
  ["repository:a:pull repository:b:pull", "repository:b:pull", true],
  ["repository:a:pull", "", true],
  ["", "repository:a:pull", false],
  ["aws", "aws", true],
];

for (const [held, wanted, covered] of coverage) {
  test(`a token for "${held}" ${covered ? "serves" : "does not serve"} "${wanted}"`, () =>
    assert.equal(coversScopes(parseScopes([held]), parseScopes([wanted])), covered));
}

test("keys are equal for equal scopes in any order; one knows the actions, the other the resources alone", () => {
  const [one, other] = [parseScopes(["r:a:x,y r:b:z"]), parseScopes(["r:b:z r:a:y,x"])];
  assert.equal(scopesKey(one), scopesKey(other));
  assert.equal(resourcesKey(one), resourcesKey(parseScopes(["r:a:q r:b:q"])));
  assert.notEqual(scopesKey(one), scopesKey(parseScopes(["r:a:x r:b:z"])));
  assert.notEqual(resourcesKey(one), resourcesKey(parseScopes(["r:a:x"])));
});
