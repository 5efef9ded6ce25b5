/** Credentials that are refused, damaged, hidden or behind a helper that does not work. */
import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { delimiter } from "node:path";
import { after, before, describe, test } from "node:test";
import {
  answerWith,
  faults,
  type Listener,
  listen,
  memoryRegistry,
  put,
  sampleImage,
  tokenServer,
} from "@dray/testkit";
import { type Sandbox, workshop } from "./dray.ts";
import { type Case, isRefused, type Places, secret } from "./refusal.ts";

const image = sampleImage({ seed: "credentials" });

describe("credentials", { concurrency: 4 }, () => {
  let shop: Sandbox;
  const servers: Listener[] = [];
  /** Passwords as registry and token service know them; they change after the login. */
  const users = { ann: secret };
  const places: Record<string, string> = {};
  const serve = async (handler: Parameters<typeof listen>[0]): Promise<Listener> => {
    const server = await listen(handler);
    servers.push(server);
    return server;
  };

  before(async () => {
    shop = await workshop();
    const basic = await serve(memoryRegistry({ access: { scheme: "basic", users } }).handler);
    const named = tokenServer({ users });
    const realm = `${(await serve(named.handler)).origin}/token`;
    const tokens = await serve(memoryRegistry({ access: { scheme: "bearer", tokens: named, realm } }).handler);
    // As Docker Hub: whoever asks gets a token, but has to ask.
    const anybody = tokenServer();
    const publicRealm = `${(await serve(anybody.handler)).origin}/token`;
    const open = memoryRegistry({ access: { scheme: "bearer", tokens: anybody, realm: publicRealm } });
    put(open, "demo/app", "v1", image);
    Object.assign(places, { BASIC: basic.host, TOKENS: tokens.host, PUBLIC: (await serve(open.handler)).host });
    places["HERE"] = shop.dir;
    for (const host of [basic.host, tokens.host])
      await shop.ok(["auth", "login", host, "-u", "ann", "--password-stdin"], { input: secret });
    users.ann = "another";
  });
  after(async () => {
    await Promise.all(servers.map((server) => server.close()));
    await shop.close();
  });

  const cases: readonly Case[] = [
    {
      name: "401 after a login, by password",
      commands: ["digest BASIC/demo/app:v1", "pull BASIC/demo/app:v1 OUT"],
      code: 6,
      says: /127\.0\.0\.1:\d+ answered 401: .*log in with: dray auth login 127\.0\.0\.1:\d+ \(dray auth explain/,
    },
    {
      name: "401 after a login, by token",
      commands: ["digest TOKENS/demo/app:v1", "pull TOKENS/demo/app:v1 OUT"],
      code: 6,
      says: /refuses the password of .* from .*config\.json.* \(401: .*\); log in to 127\.0\.0\.1:\d+ again/,
    },
    {
      name: "a wrong password on the command line",
      commands: [
        `digest --username ann --password ${secret} BASIC/demo/app:v1`,
        `digest --username ann --password ${secret} TOKENS/demo/app:v1`,
        `auth token --username ann --password ${secret} TOKENS/demo/app`,
      ],
      code: 6,
      says: /401: .*log in/,
    },
    {
      name: "a login with a wrong password",
      commands: [`auth login BASIC -u ann -p ${secret}`, `auth login TOKENS -u ann -p ${secret}`],
      code: 6,
      says: /127\.0\.0\.1:\d+ refuses the password of ann \(401\); nothing was kept: check both and try again$/,
    },
    {
      name: "nobody's credentials",
      commands: ["ls BASIC/demo/app", "ls TOKENS/demo/app"],
      env: { DOCKER_CONFIG: "/nowhere" },
      code: 6,
      says: /answered 401: .*log in with: dray auth login/,
    },
    {
      name: "a variable that is none of ours",
      commands: ["digest PUBLIC/demo/app:v1"],
      env: { DRAY_REGISTRY_PASWORD: secret },
      code: 2,
      says: /unknown variable DRAY_REGISTRY_PASWORD in the environment; known are DRAY_REGISTRY_HOSTNAME/,
    },
    {
      name: "a password for nobody knows which registry",
      commands: ["digest PUBLIC/demo/app:v1"],
      env: { DRAY_REGISTRY_PASSWORD: secret },
      code: 2,
      says: /DRAY_REGISTRY_PASSWORD is set, but DRAY_REGISTRY_HOSTNAME, .* is not/,
    },
    {
      name: "an --authfile that is not there",
      commands: ["digest --authfile HERE/none.json PUBLIC/demo/app:v1"],
      code: 2,
      says: /\/none\.json: no such file; name a file that docker or podman login wrote/,
    },
    {
      name: "an --authfile that is a directory",
      commands: ["digest --authfile HERE PUBLIC/demo/app:v1"],
      code: 2,
      says: /is a directory; name a file/,
    },
    {
      name: "DOCKER_AUTH_CONFIG that is no JSON",
      commands: ["digest PUBLIC/demo/app:v1"],
      env: { DOCKER_AUTH_CONFIG: `{"auths": ${secret}` },
      code: 2,
      says: /DOCKER_AUTH_CONFIG is no valid JSON; correct it/,
    },
  ];
  test("where something else answers for Google's metadata server, that is said by explain and nowhere else", async () => {
    const refuses = await serve(faults(memoryRegistry().handler, [{ effect: answerWith(403) }]));
    const env = { GCE_METADATA_HOST: refuses.host, GOOGLE_APPLICATION_CREDENTIALS: undefined, PATH: shop.dir };
    const { code, stdout, stderr } = await shop.dray(["auth", "explain", "gcr.io"], { env });
    assert.deepEqual([code, stderr], [0, ""]);
    assert.match(stdout, /google: nobody is logged in to Google here/);
  });

  for (const each of cases) test(each.name, () => isRefused(shop, places as Places, each));

  const damaged: readonly [name: string, config: string, says: RegExp][] = [
    ["no JSON", `{"auths": ${secret}`, /config\.json is no valid JSON; correct it or move it away and log in again/],
    ["no object", "[]", /config\.json holds no JSON object; expected {"auths"/],
    ["auths that are none", '{"auths":[]}', /config\.json: "auths" is no JSON object; correct it/],
    [
      "an entry that is none",
      '{"auths":{"HOST":"x"}}',
      /config\.json: the entry ".*" of "auths" is no JSON object; log in/,
    ],
    [
      "a password in clear text",
      `{"auths":{"HOST":{"auth":"${secret}"}}}`,
      /config\.json: the entry ".*" of "auths" has an "auth" that is not base64 of user:password; log in to it again/,
    ],
  ];
  for (const [i, [name, config, says]] of damaged.entries())
    test(`a configuration with ${name}`, async () => {
      const folder = shop.path(`damaged-${i}`);
      await mkdir(folder);
      await writeFile(`${folder}/config.json`, config.replace("HOST", places["PUBLIC"] as string));
      const env = { DOCKER_CONFIG: folder };
      await isRefused(shop, places, { name, commands: ["pull PUBLIC/demo/app:v1 OUT"], env, code: 2, says });
    });

  const broken: readonly [name: string, script: string | undefined, says: RegExp][] = [
    ["absent", undefined, /is not in PATH; going on without its credentials for .*: install it, or take it out/],
    ["failing", "echo 'no \u001b[31mkeyring' >&2; exit 3", /failed with status 3 \(no \\u001b\[31mkeyring\); going on/],
    ["hanging", "exec sleep 60", /did not answer in time and was stopped; going on .*: try it by hand/],
    ["babbling", "echo hello", /printed something that is no credential; going on .*: try it by hand/],
    ["endless", "exec yes", /printed more than 262144 bytes; going on .*: try it by hand/],
  ];
  for (const [name, script, says] of broken)
    for (const where of ["credsStore", "credHelpers", "DOCKER_AUTH_CONFIG"] as const)
      test(`a helper that is ${name}, named by ${where}: a public pull goes on with one warning`, async () => {
        const [helper, folder] = [`${name}-${where}`.toLowerCase(), shop.path(`helper-${name}-${where}`)];
        await mkdir(folder);
        const program = `${folder}/docker-credential-${helper}`;
        if (script !== undefined) await writeFile(program, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
        const host = places["PUBLIC"] as string;
        const config = where === "credsStore" ? { credsStore: helper } : { credHelpers: { [host]: helper } };
        const text = JSON.stringify(config);
        if (where !== "DOCKER_AUTH_CONFIG") await writeFile(`${folder}/config.json`, text);
        const env = {
          PATH: `${folder}${delimiter}${process.env["PATH"]}`,
          DOCKER_CONFIG: folder,
          ...(where === "DOCKER_AUTH_CONFIG" ? { DOCKER_AUTH_CONFIG: text } : {}),
        };
        // Long enough for a process to start on a busy machine.
        const words = ["pull", "-q", "--timeout", name === "hanging" ? "1500ms" : "20s"];
        const { code, stderr } = await shop.dray([...words, `${host}/demo/app:v1`, `${folder}/image.tar`], { env });
        assert.equal(code, 0, stderr);
        const [line = "", ...more] = stderr.trimEnd().split("\n");
        assert.deepEqual(more, []);
        assert.ok(line.startsWith(`Warning: docker-credential-${helper} (`), line);
        assert.match(line, says);
      });
});
