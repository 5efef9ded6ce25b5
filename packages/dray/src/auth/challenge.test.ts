import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Challenge, challengesOf, parseChallenges } from "./challenge.ts";

/** Scheme, parameters, token68: what a challenge comes down to. */
type Plain = [scheme: string, params: Record<string, string>, token68?: string];
const plain = ({ scheme, params, token68 }: Challenge): Plain =>
  token68 === undefined ? [scheme, Object.fromEntries(params)] : [scheme, Object.fromEntries(params), token68];

const table: [what: string, value: string, expected: Plain[]][] = [
  ["nothing", "", []],
  ["a scheme alone", "Negotiate", [["negotiate", {}]]],
  [
    "docker hub",
    'Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:library/alpine:pull"',
    [
      [
        "bearer",
        {
          realm: "https://auth.docker.io/token",
          service: "registry.docker.io",
          scope: "repository:library/alpine:pull",
        },
      ],
    ],
  ],
  [
    "commas inside quotes",
    'Bearer realm="https://a.test/t",scope="repository:a:pull,push",error="invalid_token"',
    [["bearer", { realm: "https://a.test/t", scope: "repository:a:pull,push", error: "invalid_token" }]],
  ],
  [
    "two challenges in one value",
    'Bearer realm="https://a.test/t",service="s",Basic realm="r"',
    [
      ["bearer", { realm: "https://a.test/t", service: "s" }],
      ["basic", { realm: "r" }],
    ],
  ],
  [
    "a scheme without parameters among others",
    'Negotiate, Basic realm="r" , NTLM',
    [
      ["negotiate", {}],
      ["basic", { realm: "r" }],
      ["ntlm", {}],
    ],
  ],
  ["odd case", 'bEARER REALM="https://A.test/T"', [["bearer", { realm: "https://A.test/T" }]]],
  [
    "token68",
    'Negotiate YII+/=="x", Basic realm="r"',
    [
      ["negotiate", {}],
      ["basic", { realm: "r" }],
    ],
  ],
  [
    "token68 before another challenge",
    'Negotiate YIIab+/==, Basic realm="r"',
    [
      ["negotiate", {}, "YIIab+/=="],
      ["basic", { realm: "r" }],
    ],
  ],
  ["escapes in quotes", String.raw`Basic realm="say \"hi\" \\ there"`, [["basic", { realm: 'say "hi" \\ there' }]]],
  ["spaces around =", 'Basic realm = "r" , charset= UTF-8', [["basic", { realm: "r", charset: "UTF-8" }]]],
  ["a realm that is no URL", 'Basic realm="Artifactory Realm"', [["basic", { realm: "Artifactory Realm" }]]],
  [
    "a realm without quotes",
    "Bearer realm=https://a.test/t?x=1,service=s",
    [["bearer", { realm: "https://a.test/t?x=1", service: "s" }]],
  ],
  [
    "no end of quotes",
    'Bearer realm="https://a.test/t,service=s',
    [["bearer", { realm: "https://a.test/t,service=s" }]],
  ],
  ["no comma between parameters", 'Bearer realm="a" service="b"', [["bearer", { realm: "a", service: "b" }]]],
  ["the first of two realms", 'Bearer realm="a",realm="b"', [["bearer", { realm: "a" }]]],
  ["empty elements", ',, Basic realm="r",,', [["basic", { realm: "r" }]]],
  ["parameters without a scheme", 'realm="r"', []],
  ["garbage before", '"", (x), Basic realm="r"', [["basic", { realm: "r" }]]],
  [
    "names of every object",
    'Bearer __proto__="x",constructor="y"',
    [["bearer", { ["__proto__"]: "x", constructor: "y" }]],
  ],
];

for (const [what, value, expected] of table) {
  test(`a challenge: ${what}`, () => assert.deepEqual(parseChallenges([value]).map(plain), expected));
}

test("challenges of several fields, in order, whatever the case of the name", () => {
  const challenges = challengesOf([
    ["WWW-Authenticate", 'Bearer realm="https://a.test/t"'],
    ["Content-Type", 'Basic realm="no"'],
    ["www-authenticate", "Basic realm=r"],
  ]);
  assert.deepEqual(challenges.map(plain), [
    ["bearer", { realm: "https://a.test/t" }],
    ["basic", { realm: "r" }],
  ]);
});

const tokenText = fc.stringMatching(/^[a-z][a-z0-9-]{0,8}$/);
const anyChallenge = fc.record({
  scheme: tokenText,
  params: fc.dictionary(tokenText, fc.string({ maxLength: 30 }), { maxKeys: 4 }),
});

test("what is written by the grammar is read as it was meant", () => {
  fc.assert(
    fc.property(fc.array(anyChallenge, { maxLength: 4 }), fc.boolean(), (challenges, inOneField) => {
      const texts = challenges.map(({ scheme, params }) => {
        const list = Object.entries(params).map(([name, value]) => `${name}="${value.replace(/["\\]/g, "\\$&")}"`);
        return [scheme, list.join(", ")].filter((part) => part !== "").join(" ");
      });
      const read = parseChallenges(inOneField ? [texts.join(", ")] : texts);
      assert.deepEqual(
        read.map(({ scheme, params }) => [scheme, [...params]]),
        challenges.map(({ scheme, params }) => [scheme, Object.entries(params)]),
      );
    }),
  );
});

test("no text makes the reader throw or stand still", () => {
  const pieces = fc.constantFrom(
    ",",
    '"',
    "\\",
    "=",
    " ",
    "\t",
    "Bearer",
    "realm",
    "a",
    "==",
    "\n",
    "é",
    "(",
    "\u0000",
  );
  const texts = fc.oneof(
    fc.string(),
    fc.array(pieces, { maxLength: 40 }).map((parts) => parts.join("")),
  );
  fc.assert(
    fc.property(texts, (text) => {
      for (const { scheme, params } of parseChallenges([text])) {
        assert.match(scheme, /^\S+$/);
        for (const name of params.keys()) assert.match(name, /^\S+$/);
      }
    }),
  );
});
