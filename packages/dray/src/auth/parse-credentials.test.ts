import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { inspect } from "node:util";
import { isDrayError } from "../errors.ts";
import { Credentials } from "./credentials.ts";
import { credentialsIn, parseCredentials } from "./parse-credentials.ts";

const base64 = (text: string): string => Buffer.from(text).toString("base64");
const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const ann = { auth: base64("ann:sEcret") };
const annOf = (key: string, from = "F") => ({
  username: "ann",
  password: "sEcret",
  source: `${from} (auths, "${key}")`,
});

describe("a set of credentials is read", () => {
  const forms: readonly (readonly [what: string, text: string])[] = [
    ["docker's configuration", JSON.stringify({ auths: { "a.test": ann } })],
    [
      "the same with other members",
      JSON.stringify({ auths: { "a.test": ann }, credsStore: "desktop", HttpHeaders: {} }),
    ],
    ["the map alone", JSON.stringify({ "a.test": ann })],
    ["the map of a server without dots", JSON.stringify({ "a.test": ann, registry: { username: "x", password: "y" } })],
    [
      "an instance's configuration of flux",
      JSON.stringify({ git: { URL: "x" }, registry: { auths: { "a.test": ann } } }),
    ],
    [
      "name and password by themselves",
      JSON.stringify({ auths: { "a.test": { username: "ann", password: "sEcret" } } }),
    ],
    [
      "a byte order mark and line ends of Windows",
      `\uFEFF${JSON.stringify({ auths: { "a.test": ann } }, null, 1).replaceAll("\n", "\r\n")}`,
    ],
    [
      "a password that a file's line end came along with",
      JSON.stringify({ "a.test": { auth: base64("ann:sEcret\r\n") } }),
    ],
  ];
  for (const [what, text] of forms)
    test(what, () => {
      for (const form of [text, bytesOf(text)]) {
        const set = parseCredentials("F", form);
        assert.deepEqual(set.find({ registry: "a.test", repository: "b" }), annOf("a.test"));
        assert.deepEqual(set.faults, []);
      }
    });

  test("what was parsed already, as YAML is", () => {
    const set = credentialsIn("flux.yaml", { registry: { auths: { "https://index.docker.io/v1/": ann } } });
    assert.deepEqual(set.hosts, ["docker.io"]);
    assert.equal(set.find({ registry: "docker.io" })?.source, 'flux.yaml (auths, "https://index.docker.io/v1/")');
  });

  test("what holds none is empty", () => {
    for (const text of [
      "",
      "{}",
      '{"auths":{}}',
      '{"auths":null}',
      '{"credsStore":"desktop"}',
      '{"registry":{"auths":null}}',
    ])
      assert.deepEqual(parseCredentials("F", text).hosts, [], text);
  });

  test("what is none is refused, and nothing of it told", () => {
    for (const [text, says] of [
      ['{"auths":{"a.test":{"auth":"sEcret"', /^F is no valid JSON/],
      ["[]", /^F holds no JSON object/],
      ['{"auths":["sEcret"]}', /^F: "auths" is no JSON object/],
      [`{"auths":{"":${JSON.stringify(ann)}}}`, /^F: the entry "" names no server/],
      [
        `{"auths":{"https://ann:sEcret@a.test":${JSON.stringify(ann)}}}`,
        /^F: the entry "https:\/\/a\.test" has a user name in front, and so names no server/,
      ],
    ] as const)
      assert.throws(
        () => parseCredentials("F", text),
        (error) => {
          assert.ok(isDrayError(error, "CONFIG_INVALID"));
          assert.match(error.message, says);
          assert.doesNotMatch(`${error.message}${String(error.cause)}`, /sEc/);
          return true;
        },
      );
    assert.throws(() => credentialsIn("F", "text"), /^DrayError: F: holds no set of credentials|F holds no set/);
  });

  test("an entry that makes no sense spoils no other, and is an error to who asks for it", () => {
    const set = parseCredentials("F", JSON.stringify({ "a.test": ann, "b.test": { auth: "?" }, "c.test": 7 }));
    assert.equal(set.find({ registry: "a.test" })?.username, "ann");
    assert.deepEqual(set.hosts, ["a.test", "b.test", "c.test"]);
    assert.equal(set.faults.length, 2);
    for (const registry of ["b.test", "c.test"])
      assert.throws(
        () => set.find({ registry }),
        (error) => isDrayError(error, "CONFIG_INVALID") && error.message.includes(`the entry "${registry}"`),
      );
    assert.deepEqual(set.withoutFaults().hosts, ["a.test"]);
    assert.equal(set.withoutFaults().find({ registry: "b.test" }), undefined);
  });
});

describe("in a set", () => {
  const set = new Credentials(
    ["a.test", "a.test/team", "a.test/team/app", "*.test", "x*.test", "a.test:5000", "docker.io"].map((server) => [
      server,
      { username: server, password: "sEcret", source: "F" },
    ]),
  );

  test("the specific beats the general", () => {
    for (const [registry, repository, found] of [
      ["a.test", "team/app", "a.test/team/app"],
      ["a.test", "team/app/part", "a.test/team/app"],
      ["a.test", "team/other", "a.test/team"],
      ["a.test", "teammate", "a.test"],
      ["a.test", undefined, "a.test"],
      ["a.test:5000", "team/app", "a.test:5000"],
      ["a.test:5001", "team/app", undefined],
      ["b.test", "team/app", "*.test"],
      ["xy.test", "team/app", "x*.test"],
      ["a.b.test", "team/app", undefined],
      ["index.docker.io", "library/alpine", "docker.io"],
    ] as const)
      assert.equal(set.find({ registry, repository })?.username, found, `${registry}/${repository}`);
  });

  test("the keychain finds the same, and tells what it looked at", async () => {
    const told: string[] = [];
    const onTried = (source: string, said: string): void => void told.push(`${source}: ${said}`);
    assert.equal((await set.keychain({ registry: "a.test" }, { onTried }))?.username, "a.test");
    assert.equal(await set.keychain({ registry: "other.example" }, { onTried }), undefined);
    assert.equal(await new Credentials().keychain({ registry: "a.test" }, { onTried }), undefined);
    assert.deepEqual(told, [
      "F: password of a.test",
      "F: no entry for other.example",
      "no credentials: no entry for a.test",
    ]);
  });

  test("of two sets together the second one's counts, server by server", () => {
    const one = parseCredentials("1", JSON.stringify({ "a.test": ann, "docker.io": ann }));
    const other = parseCredentials(
      "2",
      JSON.stringify({ "https://index.docker.io/v1/": { username: "bob", password: "x" } }),
    );
    const both = one.merge(other);
    assert.deepEqual(both.hosts, ["a.test", "docker.io"]);
    assert.deepEqual(
      [both, other.merge(one), one].map((each) => each.find({ registry: "docker.io" })?.username),
      ["bob", "ann", "ann"],
    );
  });

  test("no secret is shown", () => {
    const text = JSON.stringify({
      auths: { "a.test": ann, "b.test/team": { identitytoken: "sEcretToken" }, "c.test": { auth: "sEc?" } },
    });
    const shown = parseCredentials("F", text);
    const words =
      'ann@a.test from F (auths, "a.test"), b.test/team from F (auths, "b.test/team"), c.test (cannot be understood)';
    assert.equal(String(shown), words);
    assert.equal(JSON.stringify({ shown }), JSON.stringify({ shown: words }));
    assert.equal(inspect(shown), `Credentials { ${words} }`);
    assert.equal(String(new Credentials()), "no credentials");
    assert.deepEqual(Object.keys(shown), []);
    for (const all of [inspect(shown, { depth: 9, showHidden: true }), inspect([shown]), inspect(shown.faults)])
      assert.doesNotMatch(all, /sEc/);
  });

  test("what names no server is refused", () => {
    assert.throws(
      () => new Credentials([["https://", { source: "F" }]]),
      (error) => isDrayError(error, "CONFIG_INVALID") && error.message.includes('"https://" names no server'),
    );
  });
});
