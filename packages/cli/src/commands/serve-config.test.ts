/** What an operator says on the command line of `dray serve`, and what is answered: each flag and its variable does what it says. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { join } from "node:path";
import { before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { temporaryFolder } from "@dray/testkit/files";
import { rehearse } from "../../test/rehearse.ts";

const main = fileURLToPath(new URL("../main.ts", import.meta.url));
let home: string;
before(() => {
  home = temporaryFolder("serve-config");
});

interface Seen {
  /** Of a push that begins. */
  readonly status: number | undefined;
  /** Folders that have become a registry's. */
  readonly data: readonly string[];
  readonly unix: boolean;
  /** A line of level info was written. */
  readonly info: boolean;
}

/** Serves as a process, does `work` meanwhile, and tells what was seen. */
const served = async (
  folder: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  work: () => Promise<void> = async () => {},
): Promise<Seen> => {
  const child = spawn(process.execPath, [main, "serve", ...args], {
    cwd: folder,
    env: { PATH: process.env["PATH"], HOME: home, UV_THREADPOOL_SIZE: "8", ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const closed = once(child, "close");
  let [out, err] = ["", ""];
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    err += text;
  });
  const begun = new Promise<string>((resolve) => {
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      out += text;
      const [, origin] = /is at (\S+);/.exec(out) ?? [];
      if (origin !== undefined) resolve(origin);
    });
  });
  const origin = await Promise.race([begun, closed.then(() => assert.fail(err))]);
  const socket = join(folder, "socket");
  const unix = existsSync(socket);
  const where = unix ? { socketPath: socket } : { host: "127.0.0.1", port: new URL(origin).port };
  const status = await new Promise<number | undefined>((resolve, reject) => {
    const post = request({ ...where, method: "POST", path: "/v2/a/blobs/uploads/", agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    post.on("error", reject);
    post.end();
  });
  await work();
  const data = ["one", "two"].filter((name) => out.includes(`the data is in ${name}.`));
  child.kill("SIGTERM");
  assert.deepEqual(await closed, [0, null], err);
  return { status, data, unix, info: / info /.test(err) };
};

const place = async (name: string): Promise<string> => {
  const folder = join(home, name);
  await mkdir(folder);
  return folder;
};

const first: Seen = { status: 202, data: ["one"], unix: false, info: true };
const second: Seen = { status: 405, data: ["two"], unix: true, info: false };

test("each flag has two values that are told apart from outside", async () => {
  const folder = await place("flags");
  // A registry that only reads makes nothing: there is something to read.
  const { exitCode, stdout } = await rehearse(home, ["serve", "--help"]);
  assert.equal(exitCode, 0);
  const flags = [...stdout.matchAll(/^ {2}(--[a-z-]+)/gm)].map(([, flag]) => flag);
  assert.deepEqual(
    flags,
    ["--data", "--set", "--listen", "--read-only", "--log-level"],
    "a flag that nothing here shows",
  );
  assert.deepEqual(
    await served(folder, [
      "--data",
      "one",
      "--listen",
      "127.0.0.1:0",
      "--log-level",
      "info",
      "--set",
      "log.accesslog.disabled=true",
    ]),
    first,
  );
  await rehearse(home, ["serve", "rebuild", "--data", join(folder, "two")]);
  assert.deepEqual(
    await served(folder, ["--data", "two", "--listen", "unix:socket", "--read-only", "--log-level", "error"]),
    second,
  );
});

test("so has the variable of each", async () => {
  const folder = await place("variables");
  assert.deepEqual(
    await served(folder, [], {
      DRAY_SERVE_DATA: "one",
      DRAY_SERVE_LISTEN: "127.0.0.1:0",
      DRAY_SERVE_LOG_LEVEL: "info",
      DRAY_SERVE_READ_ONLY: "false",
    }),
    first,
  );
  await rehearse(home, ["serve", "rebuild", "--data", join(folder, "two")]);
  assert.deepEqual(
    await served(folder, [], {
      DRAY_SERVE_DATA: "two",
      DRAY_SERVE_LISTEN: "unix:socket",
      DRAY_SERVE_LOG_LEVEL: "error",
      DRAY_SERVE_READ_ONLY: "true",
    }),
    second,
  );
});

test("a reload tells whoever asked for it what waits for a restart", async () => {
  const folder = await place("reload");
  const file = join(folder, "config.yml");
  const write = (more: string): Promise<void> =>
    writeFile(
      file,
      `version: 0.1\nstorage: {filesystem: {rootdirectory: ${folder}/one}}\nhttp: {addr: "127.0.0.1:0"${more}}\n`,
    );
  const reload = async (): Promise<string> => (await rehearse(home, ["serve", "reload", file])).stdout;
  await write("");
  await served(folder, [file], {}, async () => {
    assert.equal(await reload(), "reloaded\n");
    await write(", prefix: /a/, headers: {X-A: [b]}");
    assert.equal(await reload(), "reloaded; these settings wait for a restart: http.prefix\n");
    await write("");
    assert.equal(await reload(), "reloaded\n");
  });
});

test("a fault that is written into the file of a registry that runs keeps nobody from asking it", async () => {
  const folder = await place("edited");
  const file = join(folder, "config.yml");
  const right = `version: 0.1\nstorage: {filesystem: {rootdirectory: ${folder}/one}}\nhttp: {addr: "127.0.0.1:0"}\n`;
  const ask = (...words: string[]) => rehearse(home, ["serve", ...words, file]);
  await writeFile(file, right);
  await served(folder, [file], {}, async () => {
    for (const wrong of [
      `${right}dray: {gc: {grace: soon}}\n`,
      `${right}nosuch: 1\n`,
      `${right}  dray: [\n`,
      `${right}log: "a\n`,
    ]) {
      await writeFile(file, wrong);
      for (const words of [["status"], ["gc", "--dry-run"], ["read-only", "off"], ["du"]]) {
        const { exitCode, stdout, stderr } = await ask(...words);
        assert.equal(exitCode, 0, stderr);
        assert.notEqual(stdout, "");
        assert.match(stderr, /goes on with the configuration it has.*config\.yml:\d+:\d+: /s);
      }
      const reload = await ask("reload");
      assert.equal(reload.exitCode, 2, reload.stderr);
      assert.equal((await ask("check-config")).exitCode, 2);
    }
    await writeFile(file, right.replace("/one", "/one\u0007"));
    assert.equal((await ask("status")).exitCode, 2, "who knows where the data is");
    await writeFile(file, right);
    const which = "the registry at http://127\\.0\\.0\\.1:\\d+";
    assert.match((await ask("read-only", "on")).stdout, new RegExp(`^${which} takes nothing now; .*\n$`));
    assert.match((await ask("read-only", "off")).stdout, new RegExp(`^${which} takes pushes again\n$`));
  });
  await writeFile(file, `${right}nosuch: 1\n`);
  const { exitCode, stderr } = await ask("status");
  assert.deepEqual([exitCode, /nosuch: no key is called so/.test(stderr)], [2, true], "nobody runs");
});

describe("check-config", () => {
  const check = async (text: string): Promise<{ exitCode: number; stdout: string; stderr: string }> => {
    const file = join(home, "checked.yml");
    await writeFile(file, text);
    return rehearse(home, ["serve", "check-config", file]);
  };
  const base = "version: 0.1\nstorage: inmemory\nhttp: {addr: '127.0.0.1:0'}\n";

  test("names the flag for a folder of data where one stands in place of the file", async () => {
    const folder = temporaryFolder("serve-folder");
    const { exitCode, stderr } = await rehearse(home, ["serve", "check-config", folder]);
    assert.equal(exitCode, 2);
    assert.match(stderr, /is a folder and no configuration; a folder of data is named by --data /);
    assert.equal((await rehearse(home, ["serve", "check-config", "--data", folder])).exitCode, 0);
  });

  test("tells warnings beside errors", async () => {
    const { exitCode, stderr } = await check(`${base}log: {level: loud}\nhealth: {file: [{file: /down}]}\n`);
    assert.equal(exitCode, 2);
    assert.match(stderr, /checked\.yml:5:\d+: health\.file: has no effect/);
    assert.match(stderr, /checked\.yml:4:\d+: log\.level: "loud" is not one of/);
  });

  test("finds files that cannot be used, each with its key, its place and what to do", async () => {
    const { exitCode, stderr } = await check(
      `${base}auth:\n  htpasswd:\n    realm: r\n    path: /nosuch/users\ndray: {log: {audit: {to: ${home}}}}\n`,
    );
    assert.equal(exitCode, 2);
    assert.match(stderr, /2 things are wrong/);
    assert.match(stderr, /checked\.yml:7:5: auth\.htpasswd\.path: .*make it: htpasswd -cB \/nosuch\/users/);
    assert.match(stderr, /checked\.yml:8:\d+: dray\.log\.audit\.to: cannot write .*directory/);
  });

  test("looks at files where keys are wrong as well, and tells each thing once", async () => {
    const auth = "auth: {htpasswd: {relm: r, path: /nosuch/users}}\n";
    const { exitCode, stderr } = await check(`${base}log: {level: loud}\n${auth}dray: {log: {audit: {to: [1]}}}\n`);
    assert.equal(exitCode, 2);
    assert.match(stderr, /5 things are wrong/);
    for (const each of [
      /:4:\d+: log\.level: "loud" is not one of/,
      /:5:\d+: auth\.htpasswd\.relm: no key is called so/,
      /auth\.htpasswd\.realm: is missing/,
      /:5:\d+: auth\.htpasswd\.path: .*make it: htpasswd -cB \/nosuch\/users/,
      /:6:\d+: dray\.log\.audit\.to: /,
    ])
      assert.equal(stderr.match(new RegExp(each, "g"))?.length, 1, `${each} in ${stderr}`);
  });

  test("takes what serve takes on its command line", async () => {
    const words = ["--listen", "127.0.0.1:0", "--read-only", "--log-level", "warn", "--data", home];
    const { exitCode, stdout, stderr } = await rehearse(home, ["serve", "check-config", ...words]);
    assert.equal(exitCode, 0, stderr);
    for (const row of [
      /http\.addr +127\.0\.0\.1:0 +--listen/,
      /log\.level +warn +--log-level/,
      /readonly\.enabled +true +--read-only/,
    ])
      assert.match(stdout, row);
  });

  test("prints what holds where nothing is wrong, in whatever encoding the file is", async () => {
    for (const text of [base, `\ufeff${base}`]) assert.match((await check(text)).stdout, /http\.addr +127\.0\.0\.1:0 /);
    const file = join(home, "wide.yml");
    await writeFile(file, Buffer.from(`\ufeff${base}`, "utf16le"));
    const { exitCode, stdout } = await rehearse(home, ["serve", "check-config", file]);
    assert.equal(exitCode, 0);
    assert.match(stdout, /http\.addr +127\.0\.0\.1:0 /);
  });
});
