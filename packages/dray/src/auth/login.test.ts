import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { chmod, lstat, mkdir, mkdtemp, readdir, readFile, readlink, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeEach, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { temporaryFolder } from "@dray/testkit/files";
import { isDrayError } from "../errors.ts";
import { nodeFiles } from "../files/index.ts";
import { dockerConfig } from "./docker-config.ts";
import { login, logout, updateConfig } from "./login.ts";

const root = temporaryFolder("login");
let home = "";
let file = "";
beforeEach(async () => {
  home = await mkdtemp(join(root, "home-"));
  file = join(home, ".docker/config.json");
});

const ann = { username: "ann", password: "secret" };
const auth = Buffer.from("ann:secret").toString("base64");
const options = () => ({ env: { PATH: `${join(home, "bin")}:/usr/bin:/bin` }, home });
const write = async (value: unknown): Promise<void> => {
  await mkdir(join(home, ".docker"), { recursive: true });
  await writeFile(file, typeof value === "string" ? value : JSON.stringify(value));
};
const read = async (): Promise<string> => readFile(file, "utf8");

test("the first login makes the folder and the file, indented by tabs, for the owner alone", async () => {
  assert.deepEqual(await login("ghcr.io", ann, options()), { file });
  assert.equal(await read(), `{\n\t"auths": {\n\t\t"ghcr.io": {\n\t\t\t"auth": "${auth}"\n\t\t}\n\t}\n}`);
  assert.equal((await stat(file)).mode & 0o777, 0o600);
  assert.equal((await stat(join(home, ".docker"))).mode & 0o777, 0o700);
  assert.deepEqual(await readdir(join(home, ".docker")), ["config.json"]);
});

test("what is kept is found again, and forgotten", async () => {
  const found = dockerConfig(options());
  for (const registry of ["docker.io", "https://index.docker.io/v1/", "ghcr.io", "localhost:5000"]) {
    await login(registry, ann, options());
    const [target] = [{ registry: registry.startsWith("https") ? "docker.io" : registry }];
    assert.deepEqual(await found(target), { ...ann, source: (await found(target))?.source }, registry);
    assert.deepEqual(await logout(registry, options()), { file });
    assert.equal(await found(target), undefined, registry);
    assert.equal(await logout(registry, options()), undefined);
  }
});

test("Docker Hub is filed where docker looks for it", async () => {
  await login("docker.io", ann, options());
  assert.deepEqual(JSON.parse(await read()), { auths: { "https://index.docker.io/v1/": { auth } } });
});

test("members nobody here knows are kept, in their order, and the mode is made strict", async () => {
  await write({
    HttpHeaders: { a: "b" },
    auths: { "a.test": { auth: "x", email: "e" }, "b.test": {} },
    currentContext: "c",
  });
  await chmod(file, 0o644);
  await login("a.test", { identityToken: "i" }, options());
  assert.equal(
    JSON.stringify(JSON.parse(await read())),
    '{"HttpHeaders":{"a":"b"},"auths":{"a.test":{"email":"e","identitytoken":"i"},"b.test":{}},"currentContext":"c"}',
  );
  assert.equal((await stat(file)).mode & 0o777, 0o600);
});

test("a section in other letters is the one that is written to: of two docker would read one", async () => {
  await write({ Auths: { "a.test": { Auth: "old", email: "e" }, "b.test": {} } });
  await login("a.test", ann, options());
  assert.deepEqual(JSON.parse(await read()), { Auths: { "a.test": { email: "e", auth }, "b.test": {} } });
  await logout("a.test", options());
  assert.deepEqual(JSON.parse(await read()), { Auths: { "b.test": {} } });
});

test("tokens have members of their own", async () => {
  await login("a.test", { registryToken: "r" }, options());
  await login("b.test", { username: "ann", identityToken: "i" }, options());
  const empty = Buffer.from("ann:").toString("base64");
  assert.deepEqual(JSON.parse(await read()), {
    auths: { "a.test": { registrytoken: "r" }, "b.test": { auth: empty, identitytoken: "i" } },
  });
});

test("an empty file and a byte order mark are no obstacle", async () => {
  await write("");
  await login("a.test", ann, options());
  await write(`\uFEFF${await read()}`);
  await login("b.test", ann, options());
  assert.deepEqual(Object.keys(JSON.parse(await read()).auths), ["a.test", "b.test"]);
});

test("every spelling of a registry is forgotten, its paths are not", async () => {
  await write({
    auths: { "a.test": {}, "https://a.test": {}, "http://A.test/v1/": {}, "a.test/team": {}, "b.test": {} },
  });
  await logout("a.test", options());
  assert.deepEqual(Object.keys(JSON.parse(await read()).auths), ["a.test/team", "b.test"]);
});

test("a symbolic link stays one, also one to nothing yet", async () => {
  await mkdir(join(home, ".docker"));
  await symlink("../real/config.json", file);
  await login("a.test", ann, options());
  await login("b.test", ann, options());
  assert.ok((await lstat(file)).isSymbolicLink());
  assert.equal(await readlink(file), "../real/config.json");
  assert.deepEqual(Object.keys(JSON.parse(await readFile(join(home, "real/config.json"), "utf8")).auths), [
    "a.test",
    "b.test",
  ]);
  assert.equal((await stat(join(home, "real/config.json"))).mode & 0o777, 0o600);
});

test("a circle of symbolic links is an error", async () => {
  await mkdir(join(home, ".docker"));
  await symlink("config.json", file);
  await assert.rejects(login("a.test", ann, options()), (error) => isDrayError(error, "CONFIG_INVALID"));
});

test("an explicit file in place of docker's", async () => {
  const authFile = join(home, "auth.json");
  assert.deepEqual(await login("a.test", ann, { ...options(), authFile }), { file: authFile });
  assert.deepEqual(JSON.parse(await readFile(authFile, "utf8")), { auths: { "a.test": { auth } } });
});

test("a malformed file is left as it is", async () => {
  for (const text of ["{", "[]", '{"auths":7}']) {
    await write(text);
    await assert.rejects(login("a.test", ann, options()), (error) => isDrayError(error, "CONFIG_INVALID"), text);
    assert.equal(await read(), text);
  }
});

test("no secret, no registry", async () => {
  for (const credential of [{}, { username: "ann" }, { password: "" }]) {
    await assert.rejects(login("a.test", credential, options()), (error) => isDrayError(error, "USAGE"));
  }
  for (const registry of ["", "a b", "a.test/team", "https://"]) {
    await assert.rejects(login(registry, ann, options()), (error) => isDrayError(error, "REFERENCE_INVALID"), registry);
  }
});

const installHelper = async (script: string): Promise<void> => {
  await mkdir(join(home, "bin"), { recursive: true });
  await writeFile(join(home, "bin/docker-credential-box"), `#!/bin/sh\n${script}\n`);
  await chmod(join(home, "bin/docker-credential-box"), 0o755);
};

test("where a helper keeps secrets, the file holds none", async () => {
  const log = join(home, "log");
  await installHelper(`{ printf '%s ' "$1"; cat; echo; } >> ${log}`);
  const helper = "docker-credential-box";
  for (const config of [{ credsStore: "box" }, { credHelpers: { "a.test": "box" } }]) {
    await write({ ...config, auths: { "a.test": { auth: "old" } } });
    assert.deepEqual(await login("a.test", ann, options()), { file, helper });
    assert.deepEqual(JSON.parse(await read()).auths, { "a.test": {} });
    assert.deepEqual(await logout("a.test", options()), { file, helper });
    assert.deepEqual(JSON.parse(await read()).auths, {});
  }
  const stored = 'store {"ServerURL":"a.test","Username":"ann","Secret":"secret"}';
  assert.deepEqual((await readFile(log, "utf8")).trim().split("\n"), [stored, "erase a.test", stored, "erase a.test"]);
});

test("a host whose helper is blank is kept in the file, past the store of all others", async () => {
  await write({ credHelpers: { "a.test": "" }, credsStore: "not-there" });
  assert.deepEqual(await login("a.test", ann, options()), { file });
  assert.notEqual(JSON.parse(await read()).auths["a.test"].auth, undefined);
  assert.deepEqual(await logout("a.test", options()), { file });
  assert.deepEqual(JSON.parse(await read()).auths, {});
});

test("a helper that fails leaves the file as it is: no secret goes elsewhere", async () => {
  await installHelper("echo locked >&2; exit 1");
  await write('{"credsStore":"box"}');
  await assert.rejects(login("a.test", ann, options()), (error) => {
    assert.ok(isDrayError(error, "CONFIG_INVALID"));
    assert.match(
      error.message,
      /docker-credential-box \(credsStore in .*config\.json\) failed with status 1 \(locked\)/,
    );
    assert.doesNotMatch(error.message, /secret/);
    return true;
  });
  assert.equal(await read(), '{"credsStore":"box"}');
});

test("a disk that refuses leaves the old file and nothing beside it", async () => {
  await write('{"auths":{}}');
  for (const step of ["open", "rename"] as const) {
    const refuse = (path: string): boolean => !path.includes(".lock");
    const fs = {
      ...nodeFiles,
      [step]: (path: string, ...rest: never[]) =>
        refuse(path)
          ? Promise.reject(Object.assign(new Error("full"), { code: "ENOSPC" }))
          : (nodeFiles[step] as (...all: unknown[]) => Promise<unknown>)(path, ...rest),
    } as typeof nodeFiles;
    const change = (members: Record<string, unknown>): boolean => {
      members["auths"] = { "a.test": {} };
      return true;
    };
    await assert.rejects(updateConfig(file, change, { fs }), (error) => isDrayError(error, "DISK"));
    assert.equal(await read(), '{"auths":{}}');
    assert.deepEqual(await readdir(join(home, ".docker")), ["config.json"]);
  }
});

test("processes that log in at the same time do not lose each other's entries", async () => {
  const module = fileURLToPath(new URL("login.ts", import.meta.url));
  const runtime = process.versions.bun === undefined ? ["--input-type=module"] : [];
  const run = promisify(execFile);
  const writers = ["a", "b", "c"];
  const entries = [1, 2, 3, 4, 5].map((n) => `.${n}.test`);
  await Promise.all(
    writers.map((writer) => {
      const program = `
        import { login } from ${JSON.stringify(module)};
        const options = { env: {}, home: ${JSON.stringify(home)} };
        const hosts = ${JSON.stringify(entries)}.map((entry) => ${JSON.stringify(writer)} + entry);
        await Promise.all(hosts.map((host) => login(host, { username: "u", password: "p" }, options)));`;
      return run(process.execPath, [...runtime, "-e", program], { cwd: root });
    }),
  );
  const expected = writers.flatMap((writer) => entries.map((entry) => writer + entry));
  assert.deepEqual(Object.keys(JSON.parse(await read()).auths).sort(), expected.sort());
  assert.deepEqual(await readdir(join(home, ".docker")), ["config.json"]);
});

test("who waits for the file can be cancelled", async () => {
  await write("{}");
  let release = (): void => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  let entered = (): void => {};
  const inside = new Promise<void>((resolve) => {
    entered = resolve;
  });
  const slow = {
    ...nodeFiles,
    rename: async (from: string, to: string) => (entered(), await held, nodeFiles.rename(from, to)),
  };
  const first = updateConfig(file, (members) => (members["one"] = true), { fs: slow });
  await inside;
  const controller = new AbortController();
  const second = updateConfig(file, () => true, { signal: controller.signal });
  setTimeout(() => controller.abort(), 30);
  await assert.rejects(second, (error) => isDrayError(error, "ABORTED"));
  await assert.rejects(
    updateConfig(file, () => true, { lockTimeout: 1 }),
    (error) => isDrayError(error, "LOCKED"),
  );
  release();
  await first;
  assert.deepEqual(JSON.parse(await read()), { one: true });
});

test("a time to wait for the lock that is none is refused", async () => {
  await assert.rejects(
    updateConfig(join(temporaryFolder("lock"), "config.json"), () => true, { lockTimeout: Number.NaN }),
    (error) => isDrayError(error, "USAGE"),
  );
});
