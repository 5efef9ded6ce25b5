import assert from "node:assert/strict";
import { test } from "node:test";
import { isDrayError } from "../errors.ts";
import { entryCredential, helperFor, parseConfig } from "./config-document.ts";

const source = "/etc/config.json";
const base64 = (text: string): string => Buffer.from(text).toString("base64");

test("an empty file, a byte order mark, and null sections mean nothing, not a fault", () => {
  for (const text of ["", " \n", "{}", "\uFEFF", "\uFEFF{}", '{"auths":null}', '{"auths":{},"credsStore":""}']) {
    const { auths, credHelpers, credsStore } = parseConfig(text, source);
    assert.deepEqual([auths.size, credHelpers.size, credsStore], [0, 0, undefined], JSON.stringify(text));
  }
});

test("a byte order mark before content", () => {
  assert.ok(parseConfig('\uFEFF{"auths":{"a.test":{}}}', source).auths.has("a.test"));
});

test("members are known by their letters, whatever their case, as docker knows them; the exact one first", () => {
  const { auths, credHelpers, credsStore } = parseConfig(
    JSON.stringify({
      Auths: { "a.test": { Username: "ann", PASSWORD: "x" }, "b.test": { Auth: "wrong", auth: base64("bob:y") } },
      credhelpers: { "c.test": "h" },
      credSstore: "osxkeychain",
    }),
    source,
  );
  const [ann, bob] = ["a.test", "b.test"].map((host) => {
    const [entry] = auths.get(host) ?? [];
    return entry && entryCredential(entry, source);
  });
  assert.deepEqual([ann?.username, ann?.password, bob?.username, bob?.password], ["ann", "x", "bob", "y"]);
  assert.deepEqual([credHelpers.get("c.test"), credsStore], ["h", "osxkeychain"]);
});

const malformed: [text: string, said: RegExp][] = [
  ['{"auths":{"a.test":{"auth":"c2VjcmV0c2VjcmV0"', /no valid JSON/],
  ["[]", /no JSON object/],
  ["null", /no JSON object/],
  ["7", /no JSON object/],
  ['{"auths":[]}', /"auths" is no JSON object/],
  ['{"credHelpers":"x"}', /"credHelpers" is no JSON object/],
];

for (const [text, said] of malformed) {
  test(`malformed: ${text}`, () =>
    assert.throws(
      () => parseConfig(text, source),
      (error) => {
        assert.ok(isDrayError(error, "CONFIG_INVALID"));
        assert.match(error.message, said);
        assert.ok(error.message.includes(source));
        // The parser's own message quotes the text.
        assert.doesNotMatch(`${error.message}${String(error.cause)}`, /c2Vj/);
        return true;
      },
    ));
}

test("a helper that is null is none, as docker reads it: the file itself is meant, whatever helper others have", () => {
  const document = parseConfig('{"credHelpers":{"c.test":null},"credsStore":"osxkeychain"}', source);
  assert.equal(helperFor(document, "c.test"), undefined);
  assert.equal(helperFor(document, "d.test")?.name, "osxkeychain");
});

test("docker's own spelling of a key comes before others that mean the same", () => {
  const { auths } = parseConfig(
    JSON.stringify({
      auths: { "docker.io": {}, "https://index.docker.io/v1/": {}, "https://a.test": {}, "a.test": {} },
    }),
    source,
  );
  assert.deepEqual(
    auths.get("docker.io")?.map(({ key }) => key),
    ["https://index.docker.io/v1/", "docker.io"],
  );
  assert.deepEqual(
    auths.get("a.test")?.map(({ key }) => key),
    ["a.test", "https://a.test"],
  );
});

const entry = (value: unknown) => entryCredential({ key: "a.test", value }, source);
const from = `${source} (auths, "a.test")`;

const entries: [what: string, value: object | null, expected: object | undefined][] = [
  ["an empty entry", {}, undefined],
  ["an entry with an address only", { email: "a@b.test" }, undefined],
  ["auth", { auth: base64("ann:secret") }, { username: "ann", password: "secret" }],
  ["auth without padding", { auth: base64("ann:se").replace(/=+$/, "") }, { username: "ann", password: "se" }],
  [
    "auth that base64 has wrapped",
    { auth: base64("ann:secret").replace(/.{4}/g, "$&\r\n") },
    { username: "ann", password: "secret" },
  ],
  ["auth with a colon in the password", { auth: base64("ann:a:b") }, { username: "ann", password: "a:b" }],
  ["auth beyond ASCII", { auth: base64("änn:pässwörd") }, { username: "änn", password: "pässwörd" }],
  ["auth of a file with line ends", { auth: base64("ann:secret\r\n") }, { username: "ann", password: "secret" }],
  ["members of such a file", { username: "ann\r\n", password: " secret\n" }, { username: "ann", password: " secret" }],
  ["auth padded with NULs", { auth: base64("ann:secret\0\0") }, { username: "ann", password: "secret" }],
  [
    "auth over members",
    { auth: base64("ann:secret"), username: "bob", password: "x" },
    { username: "ann", password: "secret" },
  ],
  ["members", { username: "bob", password: "x" }, { username: "bob", password: "x" }],
  ["a name without a password", { username: "bob" }, undefined],
  [
    "an identity token",
    { auth: base64("ann:"), identitytoken: "i" },
    { username: "ann", password: "", identityToken: "i" },
  ],
  ["null, which docker reads as an empty one", null, undefined],
  ["a registry token", { registrytoken: "r" }, { registryToken: "r" }],
];

for (const [what, value, expected] of entries) {
  test(`an entry: ${what}`, () =>
    assert.deepEqual(entry(value), expected === undefined ? undefined : { ...expected, source: from }));
}

for (const value of [{ auth: "?" }, { auth: base64("no colon") }, { auth: 7 }, { identitytoken: {} }, "text", []]) {
  test(`an entry that makes no sense: ${JSON.stringify(value)}`, () =>
    assert.throws(
      () => entry(value),
      (error) =>
        isDrayError(error, "CONFIG_INVALID") && error.message.includes(source) && error.message.includes("a.test"),
    ));
}

test("an entry that makes no sense does not disturb the others", () => {
  const { auths } = parseConfig(
    JSON.stringify({ auths: { "a.test": 7, "b.test": { auth: base64("ann:secret") } } }),
    source,
  );
  const [good] = auths.get("b.test") ?? [];
  assert.equal(good && entryCredential(good, source)?.username, "ann");
});

test("a JWT among the tokens tells when it ends", () => {
  const jwt = `e30.${Buffer.from('{"exp":1800000000}').toString("base64url")}.sig`;
  assert.deepEqual(entry({ identitytoken: jwt })?.expiresAt, new Date(1_800_000_000_000));
});
