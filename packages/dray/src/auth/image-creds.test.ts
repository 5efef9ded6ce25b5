import assert from "node:assert/strict";
import { rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import { temporaryFolder } from "@dray/testkit/files";
import { isDrayError } from "../errors.ts";
import { Credentials } from "./credentials.ts";
import { imageCreds, imageCredsWithDefaults, imageKeychain } from "./image-creds.ts";

const of = (server: string, username: string): Credentials =>
  new Credentials([[server, { username, password: "sEcret", source: username }]]);
const auths = (server: string, username: string): string =>
  JSON.stringify({ auths: { [server]: { username, password: "sEcret" } } });

describe("credentials by image", () => {
  test("names are those that images have in full, and an image that comes again has both sets", () => {
    const found = imageCreds([
      ["alpine", of("docker.io", "ann")],
      ["docker.io/library/alpine", of("docker.io", "bob")],
      ["quay.io/team/app", of("quay.io", "cid")],
    ]);
    assert.deepEqual([...found.keys()], ["docker.io/library/alpine", "quay.io/team/app"]);
    assert.equal(found.get("docker.io/library/alpine")?.find({ registry: "docker.io" })?.username, "bob");
    assert.throws(
      () => imageCreds([["alpine:3", new Credentials()]]),
      (error) => isDrayError(error, "REFERENCE_INVALID"),
    );
  });

  test("whoever asks for an image gets what is kept for that one", async () => {
    const keychain = imageKeychain(() =>
      imageCreds([
        ["quay.io/team/app", of("quay.io", "app")],
        ["quay.io/team/other", of("quay.io", "other")],
        ["quay.io/team/none", new Credentials()],
      ]),
    );
    const told: string[] = [];
    const ask = async (registry: string, repository: string | undefined) =>
      (await keychain({ registry, repository }, { onTried: (source) => void told.push(source) }))?.username;
    assert.deepEqual(
      [
        await ask("quay.io", "team/app"),
        await ask("quay.io", "team/other"),
        await ask("quay.io", "team/none"),
        await ask("quay.io", "team/third"),
        await ask("quay.io", undefined),
      ],
      ["app", "other", undefined, undefined, undefined],
    );
    assert.deepEqual(told, ["app", "other", "no credentials", "credentials by image", "credentials by image"]);
  });
});

describe("defaults from a file", () => {
  const image = { registry: "quay.io", repository: "team/app" };

  test("lie below what an image has itself, and are read again at each look-up", async () => {
    const file = join(temporaryFolder("defaults"), "config.json");
    await writeFile(file, auths("quay.io", "one"));
    let own = new Credentials();
    const lookup = await imageCredsWithDefaults(() => imageCreds([["quay.io/team/app", own]]), file);
    const found = async () => (await lookup()).get("quay.io/team/app")?.find(image)?.username;
    assert.equal(await found(), "one");
    await writeFile(file, auths("quay.io", "two"));
    assert.equal(await found(), "two");
    own = of("quay.io", "own");
    assert.equal(await found(), "own");
    own = of("ghcr.io", "own");
    assert.equal(await found(), "two");
    // As what rotates secrets does.
    await writeFile(`${file}.new`, auths("quay.io", "three"));
    await rename(`${file}.new`, file);
    assert.equal(await found(), "three");
    assert.deepEqual([...(await lookup()).keys()], ["quay.io/team/app"]);
  });

  test("that are bad at the start are refused, and later go on as they were, with a warning", async () => {
    const file = join(temporaryFolder("defaults"), "config.json");
    const refused = (says: RegExp): Promise<void> =>
      assert.rejects(
        imageCredsWithDefaults(() => new Map(), file),
        (error) => isDrayError(error, "CONFIG_INVALID") && says.test(error.message),
      );
    await refused(/cannot read .*ENOENT/);
    await writeFile(file, '{"auths":{"quay.io":{"password":"sEcret"');
    await refused(/no valid JSON/);
    await writeFile(file, auths("quay.io", "one"));
    const warnings: string[] = [];
    const lookup = await imageCredsWithDefaults(() => imageCreds([["quay.io/team/app", new Credentials()]]), file, {
      onWarning: (message) => void warnings.push(message),
    });
    const found = async () => (await lookup()).get("quay.io/team/app")?.find(image)?.username;
    await writeFile(file, '{"auths":{"quay.io":{"password":"sEcret"');
    assert.deepEqual([await found(), await found()], ["one", "one"]);
    await rm(file);
    assert.equal(await found(), "one");
    assert.deepEqual(
      warnings.map((message) => [/no valid JSON|ENOENT/.exec(message)?.[0], message.includes("sEcret")]),
      [
        ["no valid JSON", false],
        ["ENOENT", false],
      ],
    );
    await writeFile(file, auths("quay.io", "two"));
    assert.equal(await found(), "two");
    await rm(file);
    await found();
    assert.equal(warnings.length, 3);
  });
});
