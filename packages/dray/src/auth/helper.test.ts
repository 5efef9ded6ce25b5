import assert from "node:assert/strict";
import { chmod, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { before, test } from "node:test";
import { temporaryFolder } from "@dray/testkit/files";
import { isDrayError } from "../errors.ts";
import { credentialHelpers, tellHelper } from "./helper.ts";

let folder = "";
before(() => {
  folder = temporaryFolder("helper");
});
/** A helper in a folder of its own PATH. `$1` is the verb; the text is a shell script. */
const install = async (name: string, script: string): Promise<void> => {
  const file = join(folder, `docker-credential-${name}`);
  await writeFile(file, `#!/bin/sh\n${script}\n`);
  await chmod(file, 0o755);
};

const setup = (options: { helperTimeout?: number; path?: string; now?: () => number } = {}) => {
  const warnings: string[] = [];
  const { path = folder, ...rest } = options;
  const env = { PATH: `${path}:/usr/bin:/bin`, COUNT: join(folder, "count") };
  const helpers = credentialHelpers({ env, onWarning: (message) => warnings.push(message), ...rest });
  const get = (name: string, host = "a.test", asked: { fresh?: boolean; signal?: AbortSignal } = {}) =>
    helpers.get(name, host, { from: "credsStore in config.json", ...asked });
  return { get, warnings };
};

const count = async (): Promise<number> => (await readFile(join(folder, "count"), "utf8").catch(() => "")).length;

/** Ends the process that a helper left behind: it was not waited for, so it is there. */
const endBehind = async (): Promise<void> => {
  const pid = Number(await readFile(join(folder, "count.behind"), "utf8"));
  assert.equal(process.kill(pid, "SIGKILL"), true);
};

test("a helper is told the server on its stdin and answers with a name and password", async () => {
  await install(
    "echo",
    `read server; printf '{"ServerURL":"%s","Username":"%s","Secret":"secret"}' "$server" "$1 $server"`,
  );
  const { get, warnings } = setup();
  assert.deepEqual(await get("echo"), {
    username: "get a.test",
    password: "secret",
    source: "docker-credential-echo (credsStore in config.json)",
  });
  assert.equal((await get("echo", "docker.io"))?.username, "get https://index.docker.io/v1/");
  assert.deepEqual(warnings, []);
});

test("the user <token> marks an identity token; members may have any case", async () => {
  await install("token", `printf '{"username":"<token>","secret":"i"}'`);
  assert.deepEqual(await setup().get("token"), {
    identityToken: "i",
    source: "docker-credential-token (credsStore in config.json)",
  });
});

test("credentials not found is no failure", async () => {
  await install("none", `echo "credentials not found in native keychain"; exit 1`);
  await install("empty", `printf '{"Username":"","Secret":""}'`);
  const { get, warnings } = setup();
  assert.equal(await get("none"), undefined);
  assert.equal(await get("empty"), undefined);
  assert.deepEqual(warnings, []);
});

const broken: [what: string, name: string, script: string | undefined, said: RegExp][] = [
  ["is missing", "missing", undefined, /docker-credential-missing .* is not in PATH.*a\.test/],
  ["fails", "fails", `echo "no session bus" >&2; exit 3`, /failed with status 3 \(no session bus\)/],
  ["is killed", "killed", "kill -9 $$", /failed with status -1/],
  ["prints no JSON", "garbage", "echo hunter2", /printed something that is no credential/],
  ["prints another JSON", "array", `echo '[1,"hunter2"]'`, /printed something that is no credential/],
  [
    "prints a secret of no text",
    "number",
    `echo '{"Username":"a","Secret":7}'`,
    /printed something that is no credential/,
  ],
  ["fails and prints a secret", "leaks", `echo '{"Secret":"hunter2"}'; exit 1`, /failed with status 1;/],
  ["prints without end", "flood", "cat /dev/zero | tr '\\0' 'x'", /printed more than/],
  ["prints control characters", "control", `printf '\\033[31mred\\a' >&2; exit 1`, /\\u001b\[31mred\\u0007/],
  ["has a bad name", "../../bin/sh", undefined, /has a name that is none/],
  ["has a name for a shell", "a;reboot", undefined, /has a name that is none/],
];

for (const [what, name, script, said] of broken) {
  test(`a helper that ${what} is one warning that names it, and no credential`, async () => {
    if (script !== undefined) await install(name, script);
    const { get, warnings } = setup();
    assert.equal(await get(name), undefined);
    assert.equal(await get(name, "b.test"), undefined);
    assert.equal(await get(name, "a.test", { fresh: true }), undefined);
    assert.equal(warnings.length, 1);
    assert.match(warnings[0] ?? "", said);
    assert.match(warnings[0] ?? "", /credsStore in config\.json/);
    assert.doesNotMatch(warnings[0] ?? "", /hunter2|\u001b/);
  });
}

test("a helper that hangs is stopped, even if a process of its own keeps the output open", async () => {
  await install("hangs", "exec sleep 60");
  await install("hangsbehind", `sleep 60 &\nprintf $! > "$COUNT.behind"\nexec sleep 60`);
  const { get, warnings } = setup({ helperTimeout: 500 });
  assert.equal(await get("hangs"), undefined);
  assert.equal(await get("hangsbehind"), undefined);
  await endBehind();
  assert.equal(warnings.length, 2);
  assert.match(warnings[0] ?? "", /docker-credential-hangs .* did not answer in time/);
});

test("a helper that leaves a process behind has still answered", async () => {
  await install("leaves", `sleep 60 &\nprintf $! > "$COUNT.behind"\nprintf '{"Username":"ann","Secret":"secret"}'`);
  assert.equal((await setup().get("leaves"))?.username, "ann");
  await endBehind();
});

test("who waits for a helper can be cancelled", async () => {
  await install("waits", "sleep 3");
  const controller = new AbortController();
  const asked = setup().get("waits", "a.test", { signal: controller.signal });
  setTimeout(() => controller.abort(), 50);
  await assert.rejects(asked, (error) => isDrayError(error, "ABORTED"));
});

test("a helper is asked once for a host, and again when a fresh answer is wanted", async () => {
  await rm(join(folder, "count"), { force: true });
  await install("counts", `printf x >> "$COUNT"; printf '{"Username":"ann","Secret":"secret"}'`);
  const { get } = setup();
  await Promise.all([get("counts"), get("counts"), get("counts")]);
  await get("counts");
  assert.equal(await count(), 1);
  await get("counts", "a.test", { fresh: true });
  assert.equal(await count(), 2);
  await get("counts", "b.test");
  assert.equal(await count(), 3);
});

test("a helper that failed or had nothing is left alone for a minute", async () => {
  await rm(join(folder, "count"), { force: true });
  await install("flaky", `printf x >> "$COUNT"; exit 1`);
  let now = 0;
  const { get, warnings } = setup({ now: () => now });
  for (now of [0, 30_000, 59_999]) await get("flaky", "a.test", { fresh: true });
  assert.equal(await count(), 1);
  now = 60_000;
  await install("flaky", `printf '{"Username":"ann","Secret":"secret"}'`);
  assert.equal((await get("flaky"))?.username, "ann");
  assert.equal(warnings.length, 1);
});

test("a folder of a helper's name is passed over for the program behind it in PATH", async () => {
  await mkdir(join(folder, "folders/docker-credential-behind"), { recursive: true });
  await install("behind", `echo '{"Username":"ann","Secret":"s"}'`);
  const { get, warnings } = setup({ path: `${join(folder, "folders")}:${folder}` });
  assert.equal((await get("behind"))?.username, "ann");
  assert.deepEqual(warnings, []);
});

test("programs of the current folder are not helpers", async () => {
  await install("here", `printf '{"Username":"ann","Secret":"secret"}'`);
  const before = process.cwd();
  process.chdir(folder);
  try {
    const { get, warnings } = setup({ path: ".:" });
    assert.equal(await get("here"), undefined);
    assert.match(warnings[0] ?? "", /is not in PATH/);
  } finally {
    process.chdir(before);
  }
});

test("a helper keeps and forgets; one that does not is an error that names it", async () => {
  await install("keeps", `{ printf '%s ' "$1"; cat; echo; } >> "$COUNT"`);
  await install("refuses", `echo "locked"; exit 1`);
  const env = { PATH: `${folder}:/usr/bin:/bin`, COUNT: join(folder, "kept") };
  const options = { env, from: "credsStore in config.json" };
  const source = "";
  await tellHelper("keeps", "store", "a.test", { username: "ann", password: "secret", source }, options);
  await tellHelper("keeps", "store", "docker.io", { identityToken: "i", source }, options);
  await tellHelper("keeps", "erase", "a.test", undefined, options);
  assert.deepEqual((await readFile(join(folder, "kept"), "utf8")).trim().split("\n"), [
    'store {"ServerURL":"a.test","Username":"ann","Secret":"secret"}',
    'store {"ServerURL":"https://index.docker.io/v1/","Username":"<token>","Secret":"i"}',
    "erase a.test",
  ]);
  for (const name of ["refuses", "missing", "../x"]) {
    await assert.rejects(
      tellHelper(name, "store", "a.test", { username: "ann", password: "hunter2", source }, options),
      (error) =>
        isDrayError(error, "CONFIG_INVALID") && error.message.includes(name) && !error.message.includes("hunter2"),
    );
  }
});

test("a time that is none is refused before anything is run", async () => {
  for (const helperTimeout of [Number.NaN, 0, -1]) {
    assert.throws(
      () => setup({ helperTimeout }),
      (error) => isDrayError(error, "USAGE") && /helperTimeout/.test(error.message),
    );
    await assert.rejects(tellHelper("echo", "store", "a.test", undefined, { from: "here", helperTimeout }), (error) =>
      isDrayError(error, "USAGE"),
    );
  }
});
