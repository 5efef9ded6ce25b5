/** The command, as it is built, asks clouds under their true names, and reads no file of theirs for any other registry. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { type Listener, listen, memoryRegistry, put, sampleImage } from "@dray/testkit";
import { amazon, azure, google, type Premises, premises } from "@dray/testkit/clouds";
import { temporaryFolder } from "@dray/testkit/files";
import { finish } from "@dray/testkit/peers";
import { buildCommand } from "./build-command.ts";
import { findRuntime, root } from "./runtimes.ts";

const externals = ["commander", "picomatch", "re2js", "semver", "yaml", "bcryptjs", "jose", "prom-client", "smol-toml"];
const amazonHost = "111111111111.dkr.ecr.eu-west-1.amazonaws.com";

describe("clouds", () => {
  const home = temporaryFolder("clouds");
  const image = sampleImage({ seed: "clouds" });
  let here: Premises;
  let plain: Listener;
  let env: Readonly<Record<string, string | undefined>>;
  before(async () => {
    await buildCommand(join(home, "command"), externals);
    symlinkSync(join(root, "node_modules"), join(home, "node_modules"));
    const [theirs, ours, azures] = [amazon(), google(), azure()];
    const registry = memoryRegistry({
      access: { scheme: "basic", users: { AWS: "password-of-111111111111-in-eu-west-1" } },
    });
    put(registry, "team/app", "1", image);
    here = await premises({
      [amazonHost]: registry.handler,
      "api.ecr.eu-west-1.amazonaws.com": theirs.handler,
      "oauth2.googleapis.com": ours.handler,
      "login.microsoftonline.com": azures.login,
      "one.azurecr.io": azures.registry,
    });
    const open = memoryRegistry();
    put(open, "team/app", "1", image);
    plain = await listen(open.handler);
    writeFileSync(join(home, "key.json"), ours.keyFile);
    const nothing = Object.fromEntries(Object.keys(process.env).map((name) => [name, undefined]));
    env = {
      ...nothing,
      ...here.env,
      NODE_USE_ENV_PROXY: undefined,
      AWS_ACCESS_KEY_ID: "AKIDEXAMPLE",
      AWS_SECRET_ACCESS_KEY: "secret-of-the-key",
      AWS_EC2_METADATA_DISABLED: "true",
      GOOGLE_APPLICATION_CREDENTIALS: join(home, "key.json"),
      AZURE_CLIENT_ID: "client",
      AZURE_TENANT_ID: "11111111-2222-3333-4444-555555555555",
      AZURE_CLIENT_SECRET: "secret-of-the-principal",
      GITHUB_TOKEN: "token-of-a-job",
    };
  });
  after(() => Promise.all([here.close(), plain.close()]));

  const node = findRuntime("node");
  const dray = (words: readonly string[], more: Readonly<Record<string, string>> = {}) =>
    finish(["path" in node ? node.path : process.execPath, join(home, "command/main.js"), ...words], {
      env: { ...env, ...more },
    });

  test("an image is read with what Amazon gives, and explain tells who was asked and what they said", async () => {
    const { stdout, stderr } = await dray(["digest", `${amazonHost}/team/app:1`]);
    assert.deepEqual([stdout, stderr], [`${image.root.digest}\n`, ""]);
    const wanted: Readonly<Record<string, RegExp>> = {
      [amazonHost]: /: password of AWS from ecr \(account 1{12} in eu-west-1\), until 20\d\d-/,
      "eu.gcr.io": /: password of oauth2accesstoken from google \(key of a service account\), until 20\d\d-/,
      "one.azurecr.io": /: identity token from acr \(service principal\), until 20\d\d-/,
      "ghcr.io": /: password of x-access-token from github \(GITHUB_TOKEN\)$/m,
    };
    for (const [host, says] of Object.entries(wanted)) {
      const explained = await dray(["auth", "explain", host]);
      assert.match(explained.stdout, says, explained.stderr);
      for (const secret of ["password-of", "token-by", "token-of-a-job", "secret-of", "eyJ"])
        assert.ok(!`${explained.stdout}${explained.stderr}`.includes(secret), explained.stdout);
    }
  });

  test("DRAY_KEYCHAINS says who may be asked; what is written down for a registry comes first", async () => {
    const explained = await dray(["auth", "explain", amazonHost], { DRAY_KEYCHAINS: "google,acr" });
    assert.match(explained.stdout, /: anonymous\n[\s\S]*\n {2}ecr: left out\n/);
    assert.match((await dray(["auth", "explain", "ghcr.io"], { DRAY_KEYCHAINS: "none" })).stdout, /: anonymous\n/);
    const wrong = await dray(["auth", "explain", "ghcr.io"], { DRAY_KEYCHAINS: "github,gcp" });
    assert.equal(wrong.code, 2);
    assert.match(
      wrong.stderr,
      /DRAY_KEYCHAINS names "gcp"; expected auto, none, or some of ecr, google, acr, github, gitlab/,
    );
    const file = join(home, "auth.json");
    const auth = Buffer.from("ann:written-down").toString("base64");
    writeFileSync(file, JSON.stringify({ auths: { [amazonHost]: { auth } } }));
    const before = await dray(["auth", "explain", "--authfile", file, amazonHost]);
    assert.match(before.stdout, /: password of ann from /);
    assert.doesNotMatch(before.stdout, /^ {2}ecr/m);
  });

  test("version and an image from elsewhere read no file of a cloud", async (t) => {
    if ("missing" in node) return t.skip(node.missing);
    const folder = join(home, "command/chunks");
    const names = readdirSync(folder).filter((name) =>
      /@aws-sdk|GoogleAuth|ManagedIdentityCredential|GITHUB_ACTOR/.test(readFileSync(join(folder, name), "utf8")),
    );
    assert.ok(names.length >= 4, names.join());
    const told = join(home, "tell.cjs");
    const list = join(home, "read.json");
    writeFileSync(
      told,
      `const { registerHooks } = require("node:module"); const urls = [];
registerHooks({ load: (url, context, next) => (urls.push(url), next(url, context)) });
process.on("exit", () => require("node:fs").writeFileSync(${JSON.stringify(list)}, JSON.stringify(urls)));`,
    );
    const reads = async (...words: string[]): Promise<string[]> => {
      const ended = await finish([node.path, "--require", told, join(home, "command/main.js"), ...words], { env });
      assert.equal(ended.code, 0, ended.stderr);
      const urls = JSON.parse(readFileSync(list, "utf8")) as string[];
      assert.ok(urls.length > 1, urls.join());
      return urls.filter((url) => names.some((name) => url.endsWith(`/${name}`)));
    };
    assert.deepEqual(await reads("version"), []);
    assert.deepEqual(await reads("digest", `${plain.host}/team/app:1`), []);
    assert.notDeepEqual(await reads("auth", "explain", amazonHost), []);
  });
});
