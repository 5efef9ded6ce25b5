import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { pullSecretMatrix as matrix } from "@dray/testkit/clouds";
import { explain } from "dray/auth";
import { parseReference } from "dray/oci";
import { fromPullSecrets, type PullSecret, pullSecretCredentials } from "./pull-secrets.ts";

const base64 = (text: string): string => Buffer.from(text).toString("base64");
const entry = (username: string): object => ({ auth: base64(`${username}:sEcret`) });

/** A secret of the newer kind, whose entries have the key as the user. */
const secret = (name: string, ...keys: readonly string[]): PullSecret =>
  ofText(name, JSON.stringify({ auths: Object.fromEntries(keys.map((key) => [key, entry(key)])) }));
const ofText = (name: string, text: string): PullSecret => ({
  type: "kubernetes.io/dockerconfigjson",
  metadata: { name, namespace: "team" },
  data: { ".dockerconfigjson": base64(text) },
});

describe("pull secrets", () => {
  test(`are matched by ${matrix.length} rules of kubelets`, () => {
    assert.ok(matrix.length >= 60);
    for (const [key, image, fits] of matrix) {
      const { registry, repository } = parseReference(image);
      const found = pullSecretCredentials([secret("pull", key)]).find({ registry, repository });
      assert.equal(found !== undefined, fits, `${key} for ${image}`);
    }
  });

  /** Whose credential an image gets. */
  const got = async (secrets: readonly PullSecret[], image: string): Promise<string | undefined> => {
    const { registry, repository } = parseReference(image);
    return (await fromPullSecrets(secrets)({ registry, repository }))?.username;
  };

  test("the specific beats the general, in whichever secret it is", async () => {
    const keys = ["*.test", "r.test", "r*.test", "r.test/team", "r.test/team/app", "*.test/team/app/web"];
    for (const secrets of [
      [secret("all", ...keys)],
      keys.map((key) => secret(key, key)),
      keys.toReversed().map((key) => secret(key, key)),
    ])
      for (const [image, key] of [
        ["r.test/team/app/web", "*.test/team/app/web"],
        ["r.test/team/app/api", "r.test/team/app"],
        ["r.test/team/other", "r.test/team"],
        ["r.test/other", "r.test"],
        ["rr.test/other", "r*.test"],
        ["s.test/other", "*.test"],
        ["quay.io/other", undefined],
      ] as const)
        assert.equal(await got(secrets, image), key, image);
  });

  test("of equal ones the first secret's counts, however they are spelt", async () => {
    const named = (name: string, key: string): PullSecret =>
      ofText(name, JSON.stringify({ auths: { [key]: entry(name) } }));
    const secrets = [named("one", "https://r.test/v1/"), named("two", "r.test"), named("three", "https://r.test")];
    assert.equal(await got(secrets, "r.test/app"), "one");
    assert.equal(await got(secrets.toReversed(), "r.test/app"), "three");
    const found = await fromPullSecrets(secrets)({ registry: "r.test", repository: "app" });
    assert.deepEqual(
      found?.others?.map(({ username }) => username),
      ["two", "three"],
    );
  });

  test("both kinds count, name and password by themselves, too; other secrets say nothing", async () => {
    const older = (text: string): PullSecret => ({
      type: "kubernetes.io/dockercfg",
      metadata: { name: "older" },
      data: { ".dockercfg": base64(text) },
    });
    const text = JSON.stringify({ "https://r.test/v1/": { username: "ann", password: "sEcret" } });
    assert.equal(await got([older(text)], "r.test/app"), "ann");
    assert.equal(await got([ofText("json", JSON.stringify({ auths: JSON.parse(text) }))], "r.test/app"), "ann");
    assert.equal(
      await got([{ type: "Opaque", data: { ".dockerconfigjson": base64(`{"auths":${text}}`) } }], "r.test/app"),
      undefined,
    );
    const warnings: string[] = [];
    pullSecretCredentials([{ type: "Opaque" }, {}], { onWarning: (message) => void warnings.push(message) });
    assert.deepEqual(warnings, []);
  });

  test("a byte order mark and the line ends of Windows mean nothing", async () => {
    const text = JSON.stringify({ auths: { "r.test": { username: "ann\r\n", password: "sEcret\r\n" } } }, null, 2);
    const odd = ofText("windows", `\uFEFF${text.replaceAll("\n", "\r\n")}\r\n`);
    const wrapped = {
      ...odd,
      data: { ".dockerconfigjson": odd.data?.[".dockerconfigjson"]?.replace(/.{20}/g, "$&\r\n") ?? "" },
    };
    for (const each of [odd, wrapped]) {
      const found = await fromPullSecrets([each])({ registry: "r.test" });
      assert.deepEqual([found?.username, found?.password], ["ann", "sEcret"]);
    }
  });

  test("one that cannot be understood is left out and named, and nothing of it is told", async () => {
    const warnings: string[] = [];
    const secrets = [
      ofText("broken", '{"auths":{"r.test":{"password":"sEcret"'),
      ofText("list", '["sEcret"]'),
      { ...ofText("empty", ""), data: {} },
      ofText("half", JSON.stringify({ auths: { "r.test": { auth: "sEcret?" }, "s.test": entry("half") } })),
      secret("good", "r.test"),
    ];
    const keychain = fromPullSecrets(secrets, { onWarning: (message) => void warnings.push(message) });
    const { chosen, tried } = await explain({ registry: "r.test" }, keychain);
    assert.equal(chosen.username, "r.test");
    assert.equal(chosen.source, 'secret team/good (auths, "r.test")');
    assert.equal((await keychain({ registry: "s.test" }))?.username, "half");
    assert.deepEqual(warnings.map((message) => /^secret team\/\w+/.exec(message)?.[0] ?? "").sort(), [
      "secret team/broken",
      "secret team/empty",
      "secret team/half",
      "secret team/list",
    ]);
    assert.match(warnings.find((each) => each.includes("/half")) ?? "", /the entry "r.test" .*the entry is left out$/);
    assert.match(warnings.find((each) => each.includes("/broken")) ?? "", /is no valid JSON; the secret is left out$/);
    assert.doesNotMatch(JSON.stringify([warnings, tried]), /sEc/);
  });

  test("as a set they tell their hosts, and no secret", () => {
    const set = pullSecretCredentials([secret("one", "r.test", "docker.io"), secret("two", "*.test/team")]);
    assert.deepEqual(set.hosts, ["*.test/team", "docker.io", "r.test"]);
    assert.doesNotMatch(String(set), /sEc/);
  });
});

test("a secret that has null or a number where text belongs is left out, and named; the others count", async () => {
  const type = "kubernetes.io/dockerconfigjson";
  const odd: readonly object[] = [
    { type, data: null },
    { type, data: { ".dockerconfigjson": null } },
    { type, data: { ".dockerconfigjson": 5 }, metadata: null },
  ];
  const warnings: string[] = [];
  const all = [...(odd as PullSecret[]), secret("good", "ghcr.io")];
  const found = fromPullSecrets(all, { onWarning: (message) => warnings.push(message) });
  assert.equal((await found({ registry: "ghcr.io" }))?.username, "ghcr.io");
  assert.equal(warnings.length, 3, warnings.join("\n"));
  for (const warning of warnings)
    assert.match(warning, /^secret without a name .*\.dockerconfigjson.*; the secret is left out$/);
});
