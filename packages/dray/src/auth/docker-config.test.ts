import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmod, mkdir, mkdtemp, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { beforeEach, test } from "node:test";
import { fileURLToPath } from "node:url";
import { temporaryFolder } from "@dray/testkit/files";
import { isDrayError } from "../errors.ts";
import { type DockerConfigOptions, dockerConfig, dockerHttpHeaders } from "./docker-config.ts";

const root = temporaryFolder("config");
const base64 = (text: string): string => Buffer.from(text).toString("base64");
const auths = (...pairs: [key: string, text: string][]): object => ({
  auths: Object.fromEntries(pairs.map(([key, text]) => [key, { auth: base64(text) }])),
});

let home = "";
beforeEach(async () => {
  home = await mkdtemp(join(root, "home-"));
});

const put = async (path: string, value: unknown): Promise<string> => {
  const file = join(home, path);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, typeof value === "string" ? value : JSON.stringify(value));
  return file;
};

/** A keychain over the home of this test alone. */
const keychain = (env: Record<string, string> = {}, options: DockerConfigOptions = {}) => {
  const warnings: string[] = [];
  const found = dockerConfig({
    env: { PATH: "", ...env },
    home,
    onWarning: (message) => warnings.push(message),
    ...options,
  });
  return { found, warnings };
};

const who = async (target: { registry: string; repository?: string }, env: Record<string, string> = {}) =>
  (await keychain(env).found(target))?.username;

test("no file, no credential, no warning", async () => {
  const { found, warnings } = keychain({ XDG_RUNTIME_DIR: join(home, "run"), REGISTRY_AUTH_FILE: join(home, "none") });
  assert.equal(await found({ registry: "a.test" }), undefined);
  assert.deepEqual(warnings, []);
});

test("the files in order; one without the host passes on to the next", async () => {
  const env = {
    REGISTRY_AUTH_FILE: await put("named.json", auths(["a.test", "named:x"], ["b.test", "named:x"])),
    XDG_RUNTIME_DIR: join(home, "run"),
    XDG_CONFIG_HOME: join(home, "xdg"),
  };
  await put(".docker/config.json", auths(["a.test", "docker:x"]));
  await put("run/containers/auth.json", auths(["b.test", "runtime:x"], ["c.test", "runtime:x"]));
  await put("xdg/containers/auth.json", auths(["c.test", "xdg:x"], ["d.test", "xdg:x"]));
  await put(".config/containers/auth.json", auths(["e.test", "default:x"]));
  assert.equal(await who({ registry: "a.test" }, env), "docker");
  assert.equal(await who({ registry: "b.test" }, env), "named");
  assert.equal(await who({ registry: "c.test" }, env), "runtime");
  assert.equal(await who({ registry: "d.test" }, env), "xdg");
  assert.equal(await who({ registry: "e.test" }, env), undefined);
  assert.equal(await who({ registry: "e.test" }), "default");
});

test("DOCKER_CONFIG in place of ~/.docker, HOME where nothing else is said", async () => {
  await put(".docker/config.json", auths(["a.test", "home:x"]));
  await put("elsewhere/config.json", auths(["a.test", "elsewhere:x"]));
  assert.equal(await who({ registry: "a.test" }, { DOCKER_CONFIG: join(home, "elsewhere") }), "elsewhere");
  const byHome = dockerConfig({ env: { HOME: home } });
  assert.equal((await byHome({ registry: "a.test" }))?.username, "home");
});

test("a file that is named alone is the only one, and must be there", async () => {
  await put(".docker/config.json", auths(["a.test", "docker:x"]));
  const authFile = await put("auth.json", auths(["b.test", "named:x"]));
  const { found } = keychain({}, { authFile });
  assert.equal((await found({ registry: "b.test" }))?.username, "named");
  assert.equal(await found({ registry: "a.test" }), undefined);
  for (const missing of [join(home, "none.json"), home]) {
    await assert.rejects(
      keychain({}, { authFile: missing }).found({ registry: "a.test" }),
      (error) => isDrayError(error, "CONFIG_INVALID") && error.message.includes(missing),
    );
  }
});

test("a directory in place of a file is passed over", async () => {
  await mkdir(join(home, ".docker/config.json"), { recursive: true });
  await put(".config/containers/auth.json", auths(["a.test", "podman:x"]));
  assert.equal(await who({ registry: "a.test" }), "podman");
});

test("a symbolic link is followed", async () => {
  await mkdir(join(home, ".docker"));
  await symlink(await put("real.json", auths(["a.test", "real:x"])), join(home, ".docker/config.json"));
  assert.equal(await who({ registry: "a.test" }), "real");
});

test("the longest path wins, then the host; a part of a component is no match", async () => {
  const keys: [string, string][] = [
    ["a.test", "host:x"],
    ["a.test/team", "team:x"],
    ["a.test/team/app", "app:x"],
  ];
  await put(".docker/config.json", auths(...keys));
  const of = (repository: string) => who({ registry: "a.test", repository });
  assert.equal(await of("team/app"), "app");
  assert.equal(await of("team/app/sub"), "app");
  assert.equal(await of("team/application"), "team");
  assert.equal(await of("teammate"), "host");
  assert.equal(await who({ registry: "a.test" }), "host");
});

test("Docker Hub by any of its names", async () => {
  for (const key of ["https://index.docker.io/v1/", "docker.io", "index.docker.io", "registry-1.docker.io"]) {
    await put(".docker/config.json", auths([key, "hub:x"]));
    for (const registry of ["docker.io", "index.docker.io"]) {
      assert.equal(await who({ registry, repository: "library/alpine" }), "hub", `${key} for ${registry}`);
    }
  }
});

test("hosts are compared without scheme and case, with their port", async () => {
  await put(".docker/config.json", auths(["https://A.test/v2/", "a:x"], ["http://b.test:5000", "b:x"]));
  assert.equal(await who({ registry: "a.test" }), "a");
  assert.equal(await who({ registry: "b.test:5000" }), "b");
  assert.equal(await who({ registry: "b.test" }), undefined);
});

test("credHelpers before credsStore before the host's entry; a path's own entry before all", async () => {
  const bin = join(home, "bin");
  for (const name of ["own", "store"]) {
    const script = `#!/bin/sh\nread server\n[ "$server" = c.test ] && { echo credentials not found in native keychain; exit 1; }\n`;
    await put(`bin/docker-credential-${name}`, `${script}printf '{"Username":"${name}","Secret":"x"}'\n`);
    await chmod(join(bin, `docker-credential-${name}`), 0o755);
  }
  await put(".docker/config.json", {
    ...auths(["a.test", "entry:x"], ["c.test", "entry:x"], ["b.test/team", "team:x"]),
    credHelpers: { "https://a.test": "own" },
    credsStore: "store",
  });
  const env = { PATH: `${bin}:/usr/bin:/bin` };
  assert.equal(await who({ registry: "a.test" }, env), "own");
  assert.equal(await who({ registry: "b.test" }, env), "store");
  assert.equal(await who({ registry: "b.test", repository: "team/app" }, env), "team");
  assert.equal(await who({ registry: "c.test" }, env), "entry");
});

test("a host whose helper is blank has none: its entry counts, and nothing is warned of", async () => {
  for (const blank of ["", " "]) {
    await put(".docker/config.json", {
      ...auths(["a.test", "entry:x"]),
      credHelpers: { "a.test": blank },
      credsStore: "not-there",
    });
    const { found, warnings } = keychain();
    assert.equal((await found({ registry: "a.test" }))?.username, "entry");
    assert.deepEqual(warnings, []);
  }
});

test("a missing helper is one warning, and the search goes on", async () => {
  await put(".docker/config.json", { auths: { "a.test": {} }, credsStore: "desktop" });
  await put(".config/containers/auth.json", auths(["b.test", "podman:x"]));
  const { found, warnings } = keychain();
  assert.equal(await found({ registry: "a.test" }), undefined);
  assert.equal((await found({ registry: "b.test" }))?.username, "podman");
  assert.equal(warnings.length, 1);
  assert.match(warnings[0] ?? "", /docker-credential-desktop \(credsStore in .*config\.json\) is not in PATH/);
});

test("a file is read again when it changes, and when a fresh answer is wanted", async () => {
  const file = await put(".docker/config.json", auths(["a.test", "old:x"]));
  const fixed = new Date(1_700_000_000_000);
  await utimes(file, fixed, fixed);
  const { found } = keychain();
  assert.equal((await found({ registry: "a.test" }))?.username, "old");
  await writeFile(file, JSON.stringify(auths(["a.test", "new:x"])));
  await utimes(file, fixed, fixed);
  assert.equal((await found({ registry: "a.test" }, { fresh: true }))?.username, "new");
  await put(".docker/config.json", auths(["a.test", "newest:x"]));
  assert.equal((await found({ registry: "a.test" }))?.username, "newest");
  await rm(file);
  assert.equal(await found({ registry: "a.test" }), undefined);
});

test("a malformed file is an error that names it, and quotes nothing of it", async () => {
  const file = await put(".docker/config.json", '{"auths":{"a.test":{"auth":"c2VjcmV0"');
  await assert.rejects(keychain().found({ registry: "b.test" }), (error) => {
    assert.ok(isDrayError(error, "CONFIG_INVALID"));
    assert.ok(error.message.includes(file));
    assert.doesNotMatch(error.message, /c2Vj/);
    return true;
  });
});

/** Runs a lookup in a process that has become nobody; prints warnings, then the code and message of its error, or `none`. */
const lookupAsNobody = (lookupHome: string): string => {
  const module = fileURLToPath(new URL("docker-config.ts", import.meta.url));
  const program = `
    import { dockerConfig } from ${JSON.stringify(module)};
    process.setgroups([]);
    process.setgid(65534);
    process.setuid(65534);
    const warn = (message) => console.log("warning", message);
    try {
      await dockerConfig({ env: { HOME: ${JSON.stringify(lookupHome)} }, onWarning: warn })({ registry: "a.test" });
      console.log("none");
    } catch (error) {
      console.log(error.code, error.message);
    }`;
  const runtime = process.versions.bun === undefined ? ["--input-type=module"] : [];
  return execFileSync(process.execPath, [...runtime, "-e", program], { encoding: "utf8" });
};

const notRoot = process.getuid?.() !== 0 && "only root can become nobody";

test("nobody may not read a file of another: an error that names it and the remedy", { skip: notRoot }, async () => {
  await chmod(root, 0o755);
  await chmod(home, 0o755);
  const file = await put(".docker/config.json", auths(["a.test", "ann:secret"]));
  await chmod(file, 0o600);
  assert.match(lookupAsNobody(home), /^CONFIG_INVALID cannot read \S+config\.json \(EACCES\); make it readable/);
});

test("nobody may not enter a folder of another: a warning, and the search goes on", { skip: notRoot }, async () => {
  await chmod(root, 0o755);
  await chmod(home, 0o755);
  await put(".docker/config.json", auths(["a.test", "ann:secret"]));
  await chmod(join(home, ".docker"), 0o700);
  assert.match(lookupAsNobody(home), /^warning \S+config\.json cannot be reached \(EACCES\).*\nnone/);
});

test("the headers that docker's configuration wants on every request", async () => {
  assert.deepEqual(await dockerHttpHeaders({ env: {}, home }), []);
  await put(".docker/config.json", { HttpHeaders: { "X-Meta": "a", "user-agent": "docker", "X-Number": 7 } });
  assert.deepEqual(await dockerHttpHeaders({ env: {}, home }), [["X-Meta", "a"]]);
  await put(".docker/config.json", { httpHeaders: { "X-Meta": "b" } });
  assert.deepEqual(await dockerHttpHeaders({ env: {}, home }), [["X-Meta", "b"]]);
  await put(".docker/config.json", "no JSON");
  await assert.rejects(dockerHttpHeaders({ env: {}, home }), (error) => isDrayError(error, "CONFIG_INVALID"));
});
