import assert from "node:assert/strict";
import { test } from "node:test";
import { isDrayError } from "../errors.ts";
import { environment } from "./environment.ts";

const base64 = (text: string): string => Buffer.from(text).toString("base64");
const lookup = async (env: Record<string, string>, registry: string, repository?: string) =>
  environment({ PATH: "", ...env })(repository === undefined ? { registry } : { registry, repository });

test("nothing set, nothing found", async () => assert.equal(await lookup({}, "a.test"), undefined));

test("a group without a suffix, and one with", async () => {
  const env = {
    DRAY_REGISTRY_HOSTNAME: "a.test",
    DRAY_REGISTRY_USERNAME: "ann",
    DRAY_REGISTRY_PASSWORD: "secret",
    DRAY_REGISTRY_HOSTNAME_prod: "https://b.test/v2/",
    DRAY_REGISTRY_REGISTRY_TOKEN_prod: "r",
  };
  assert.deepEqual(await lookup(env, "a.test"), {
    username: "ann",
    password: "secret",
    source: "DRAY_REGISTRY_HOSTNAME (a.test)",
  });
  assert.equal((await lookup(env, "b.test"))?.registryToken, "r");
  assert.equal(await lookup(env, "c.test"), undefined);
});

test("the most specific of several groups wins, not the first", async () => {
  const env = Object.fromEntries(
    ["*.a.test", "x.a.test", "x.a.test/team", "x.a.test/team/app"].flatMap((host, index) => [
      [`DRAY_REGISTRY_HOSTNAME_${index}`, host],
      [`DRAY_REGISTRY_IDENTITY_TOKEN_${index}`, host],
    ]),
  );
  const found = async (registry: string, repository?: string) =>
    (await lookup(env, registry, repository))?.identityToken;
  assert.equal(await found("y.a.test"), "*.a.test");
  assert.equal(await found("x.a.test"), "x.a.test");
  assert.equal(await found("x.a.test", "team"), "x.a.test/team");
  assert.equal(await found("x.a.test", "team/app/sub"), "x.a.test/team/app");
  assert.equal(await found("x.a.test", "teammate"), "x.a.test");
});

test("every name of Docker Hub is one", async () => {
  const env = { DRAY_REGISTRY_HOSTNAME: "https://index.docker.io/v1/", DRAY_REGISTRY_PASSWORD: "p" };
  assert.equal((await lookup(env, "docker.io", "library/alpine"))?.password, "p");
});

test("ANON keeps to anonymous access and ends the search", async () => {
  const env = {
    DRAY_REGISTRY_HOSTNAME_0: "a.test",
    DRAY_REGISTRY_ANON_0: "true",
    DOCKER_AUTH_CONFIG: JSON.stringify({ auths: { "a.test": { auth: base64("ann:secret") } } }),
  };
  assert.deepEqual(await lookup(env, "a.test"), { source: "DRAY_REGISTRY_HOSTNAME_0 (a.test)" });
  assert.equal((await lookup({ ...env, DRAY_REGISTRY_ANON_0: "false" }, "a.test"))?.username, "ann");
});

test("a group whose secret is empty, as for a job that may not see it, passes on", async () => {
  const env = { DRAY_REGISTRY_HOSTNAME: "a.test", DRAY_REGISTRY_USERNAME: "ann", DRAY_REGISTRY_PASSWORD: "" };
  assert.equal(await lookup(env, "a.test"), undefined);
});

const faults: [what: string, env: Record<string, string>, said: RegExp][] = [
  [
    "an unknown variable",
    { DRAY_REGISTRY_PASWORD_1: "x" },
    /unknown variable DRAY_REGISTRY_PASWORD_1 .*DRAY_REGISTRY_PASSWORD/,
  ],
  ["a suffix without a name", { DRAY_REGISTRY_PASSWORD_: "x" }, /DRAY_REGISTRY_PASSWORD_ /],
  ["no host", { DRAY_REGISTRY_PASSWORD_1: "x" }, /DRAY_REGISTRY_PASSWORD_1 is set, but DRAY_REGISTRY_HOSTNAME_1/],
  [
    "a host that is none",
    { DRAY_REGISTRY_HOSTNAME: "a b", DRAY_REGISTRY_PASSWORD: "x" },
    /DRAY_REGISTRY_HOSTNAME is "a b"/,
  ],
  [
    "a user in the host",
    { DRAY_REGISTRY_HOSTNAME: "https://ann@a.test", DRAY_REGISTRY_PASSWORD: "x" },
    /expected host/,
  ],
  [
    "ANON that is neither",
    { DRAY_REGISTRY_HOSTNAME: "a.test", DRAY_REGISTRY_ANON: "maybe" },
    /DRAY_REGISTRY_ANON is "maybe"/,
  ],
  ["DOCKER_AUTH_CONFIG that is no JSON", { DOCKER_AUTH_CONFIG: "{secret" }, /^DOCKER_AUTH_CONFIG is no valid JSON/],
];

for (const [what, env, said] of faults) {
  test(`refused: ${what}`, async () =>
    assert.rejects(lookup(env, "z.test"), (error) => {
      assert.ok(isDrayError(error, "CONFIG_INVALID"));
      assert.match(error.message, said);
      return true;
    }));
}

test("DOCKER_AUTH_CONFIG comes after the variables of our own", async () => {
  const env = {
    DRAY_REGISTRY_HOSTNAME: "a.test",
    DRAY_REGISTRY_PASSWORD: "own",
    DOCKER_AUTH_CONFIG: JSON.stringify({
      auths: { "a.test": { auth: base64("u:p") }, "b.test": { auth: base64("u:p") } },
    }),
  };
  assert.equal((await lookup(env, "a.test"))?.password, "own");
  assert.deepEqual(await lookup(env, "b.test"), {
    username: "u",
    password: "p",
    source: 'DOCKER_AUTH_CONFIG (auths, "b.test")',
  });
});

test("variables are read once, and again when a fresh answer is wanted", async () => {
  const env = { PATH: "", DRAY_REGISTRY_HOSTNAME: "a.test", DRAY_REGISTRY_PASSWORD: "old" };
  const keychain = environment(env);
  assert.equal((await keychain({ registry: "a.test" }))?.password, "old");
  env.DRAY_REGISTRY_PASSWORD = "new";
  assert.equal((await keychain({ registry: "a.test" }))?.password, "old");
  assert.equal((await keychain({ registry: "a.test" }, { fresh: true }))?.password, "new");
});

test("what Kubernetes sets for a service called dray-registry is no setting", async () => {
  const links = {
    DRAY_REGISTRY_SERVICE_HOST: "10.96.0.7",
    DRAY_REGISTRY_SERVICE_PORT: "5000",
    DRAY_REGISTRY_SERVICE_PORT_HTTP: "5000",
    DRAY_REGISTRY_PORT: "tcp://10.96.0.7:5000",
    DRAY_REGISTRY_PORT_5000_TCP_ADDR: "10.96.0.7",
    DRAY_REGISTRY_USERNAME_SERVICE_HOST: "10.96.0.8",
    DRAY_REGISTRY_HOSTNAME_PORT: "tcp://10.96.0.9:80",
  };
  assert.equal(await lookup(links, "a.test"), undefined);
  const own = { DRAY_REGISTRY_HOSTNAME: "a.test", DRAY_REGISTRY_PASSWORD: "p" };
  assert.equal((await lookup({ ...links, ...own }, "a.test"))?.password, "p");
  const odd = { DRAY_REGISTRY_HOSTNAME_PORT: "a.test", DRAY_REGISTRY_PASSWORD_PORT: "the harbour" };
  assert.equal((await lookup(odd, "a.test"))?.password, "the harbour");
});

test("what is blank or half set is passed over, and told when somebody asks why", async () => {
  const env = {
    PATH: "",
    DRAY_REGISTRY_HOSTNAME: "a.test",
    DRAY_REGISTRY_USERNAME: "ann",
    DRAY_REGISTRY_PASSWORD: " \n",
    DRAY_REGISTRY_PORT: "tcp://10.96.0.7:5000",
  };
  const tried: string[] = [];
  const tell = (source: string, said: string): number => tried.push(`${source}: ${said}`);
  assert.equal(await environment(env)({ registry: "a.test" }, { onTried: tell }), undefined);
  assert.deepEqual(tried, [
    "DRAY_REGISTRY_PASSWORD: blank",
    "DRAY_REGISTRY_PORT: of a service in Kubernetes, no setting",
    "DRAY_REGISTRY_HOSTNAME: set, but without a secret (DRAY_REGISTRY_PASSWORD, DRAY_REGISTRY_IDENTITY_TOKEN, DRAY_REGISTRY_REGISTRY_TOKEN)",
    "DRAY_REGISTRY_*: not set",
    "DOCKER_AUTH_CONFIG: not set",
  ]);
});

test("the line end that a file or a wrapped line brings along is no part of a value", async () => {
  const env = {
    DRAY_REGISTRY_HOSTNAME: " a.test\n",
    DRAY_REGISTRY_USERNAME: "ann\n",
    DRAY_REGISTRY_PASSWORD: " p w \r\n",
  };
  const { username, password } = (await lookup(env, "a.test")) ?? {};
  assert.deepEqual([username, password], ["ann", " p w "]);
  const token = { DRAY_REGISTRY_HOSTNAME: "a.test", DRAY_REGISTRY_REGISTRY_TOKEN: "abc\n def\n" };
  assert.equal((await lookup(token, "a.test"))?.registryToken, "abcdef");
  const file = { auths: { "a.test": { identitytoken: "\nabc\n" } }, credsStore: " " };
  assert.equal((await lookup({ DOCKER_AUTH_CONFIG: JSON.stringify(file) }, "a.test"))?.identityToken, "abc");
});
