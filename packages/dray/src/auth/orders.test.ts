/** The orders in which other tools ask for credentials, as chains of keychains. */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryFolder } from "@dray/testkit/files";
import { Credentials } from "./credentials.ts";
import { dockerConfig } from "./docker-config.ts";
import { environment } from "./environment.ts";
import { imageCreds, imageCredsWithDefaults, imageKeychain } from "./image-creds.ts";
import { anonymous, chain, explain, staticCredential } from "./keychain.ts";
import type { Keychain } from "./types.ts";

/** A cloud answers for its hosts alone. */
const cloud =
  (name: string, hosts: RegExp): Keychain =>
  async ({ registry }, options) => {
    const has = hosts.test(registry);
    options?.onTried?.(name, has ? "password" : "another's host");
    return has ? { username: name, password: "sEcret", source: name } : undefined;
  };
const google = cloud("google", /(?:^|\.)gcr\.io$|-docker\.pkg\.dev$/);
const ecr = cloud("ecr", /\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com$/);
const acr = cloud("acr", /\.azurecr\.io$/);
const account = "123456789012.dkr.ecr.eu-west-1.amazonaws.com";

/** Files of docker that have a password for these. */
const docker = async (...hosts: string[]): Promise<Keychain> => {
  const authFile = join(temporaryFolder("order"), "config.json");
  const auths = Object.fromEntries(hosts.map((host) => [host, { username: "docker", password: "sEcret" }]));
  await writeFile(authFile, JSON.stringify({ auths }));
  return dockerConfig({ authFile, env: {} });
};

const of = (username: string, ...servers: string[]): Credentials =>
  new Credentials(servers.map((server) => [server, { username, password: "sEcret", source: username }]));

/** Whose credential a chain finds for a host. */
const found = async (keychain: Keychain, registry: string, repository = "team/app"): Promise<string | undefined> => {
  const credential = await keychain({ registry, repository });
  return credential === undefined ? "nobody" : (credential.username ?? credential.source);
};

test("imgpkg's: its environment, clouds, then what the flags say: a password, a token, nobody, docker's files", async () => {
  const env = {
    DRAY_REGISTRY_HOSTNAME: "gcr.io",
    DRAY_REGISTRY_USERNAME: "env",
    DRAY_REGISTRY_PASSWORD: "sEcret",
  };
  const files = await docker("a.test", "gcr.io", account);
  const before = [environment(env), google, ecr] as const;
  const table: readonly (readonly [what: string, keychain: Keychain, finds: Record<string, string>])[] = [
    [
      "no flags",
      chain(...before, files),
      { "gcr.io": "env", "eu.gcr.io": "google", [account]: "ecr", "a.test": "docker", "b.test": "nobody" },
    ],
    [
      "--registry-username",
      chain(
        ...before,
        staticCredential({ username: "flag", password: "sEcret", source: "--registry-username" }),
        files,
      ),
      { "gcr.io": "env", "eu.gcr.io": "google", [account]: "ecr", "a.test": "flag", "b.test": "flag" },
    ],
    [
      "--registry-token",
      chain(...before, staticCredential({ registryToken: "sEcret", source: "--registry-token" }), files),
      { "gcr.io": "env", "eu.gcr.io": "google", "a.test": "--registry-token" },
    ],
    [
      "--registry-anon",
      chain(...before, anonymous, files),
      { "gcr.io": "env", "eu.gcr.io": "google", "a.test": "anonymous", "b.test": "anonymous" },
    ],
  ];
  for (const [what, keychain, finds] of table)
    for (const [host, who] of Object.entries(finds)) assert.equal(await found(keychain, host), who, `${what}: ${host}`);
});

test("flux's: the image's secret, the file of defaults, Amazon below both, then Google, Azure, and nobody", async () => {
  const file = join(temporaryFolder("order"), "config.json");
  await writeFile(
    file,
    JSON.stringify({ auths: { "a.test": { auth: Buffer.from("defaults:sEcret").toString("base64") } } }),
  );
  const lookup = await imageCredsWithDefaults(
    () =>
      imageCreds([
        ["a.test/team/own", of("secret", "a.test")],
        ["a.test/team/app", new Credentials()],
        ["gcr.io/team/app", of("secret", "gcr.io")],
        [`${account}/team/own`, of("ecr", account).merge(of("secret", account))],
        [`${account}/team/app`, of("ecr", account)],
      ]),
    file,
  );
  const keychain = chain(imageKeychain(lookup), google, acr);
  for (const [host, repository, who] of [
    ["a.test", "team/own", "secret"],
    ["a.test", "team/app", "defaults"],
    ["a.test", "team/other", "nobody"],
    ["gcr.io", "team/app", "secret"],
    ["gcr.io", "team/other", "google"],
    ["mine.azurecr.io", "team/app", "acr"],
    [account, "team/own", "secret"],
    [account, "team/app", "ecr"],
    ["b.test", "team/app", "nobody"],
  ] as const)
    assert.equal(await found(keychain, host, repository), who, `${host}/${repository}`);
});

test("k8schain's: pull secrets, docker's files, Google, Amazon, Azure", async () => {
  const secrets = of("secret", "a.test", "gcr.io/team");
  const keychain = chain(secrets.keychain, await docker("a.test", "gcr.io", "b.test"), google, ecr, acr);
  for (const [host, repository, who] of [
    ["a.test", "team/app", "secret"],
    ["gcr.io", "team/app", "secret"],
    ["gcr.io", "other/app", "docker"],
    ["b.test", "team/app", "docker"],
    ["eu.gcr.io", "team/app", "google"],
    ["europe-docker.pkg.dev", "team/app", "google"],
    [account, "team/app", "ecr"],
    ["mine.azurecr.io", "team/app", "acr"],
    ["c.test", "team/app", "nobody"],
  ] as const)
    assert.equal(await found(keychain, host, repository), who, `${host}/${repository}`);
  const { tried } = await explain({ registry: account, repository: "team/app" }, keychain);
  assert.deepEqual(
    tried.map(({ said }) => said),
    [`no entry for ${account}`, `no entry for ${account}`, "another's host", "password"],
  );
});
