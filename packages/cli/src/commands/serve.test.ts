import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { Readable, Writable } from "node:stream";
import { before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { temporaryFolder } from "@dray/testkit/files";
import { rehearse } from "../../test/rehearse.ts";
import { run } from "../run.ts";

const main = fileURLToPath(new URL("../main.ts", import.meta.url));

let home: string;
before(() => {
  home = temporaryFolder("serve-command");
});
const words = (name: string): string[] => ["serve", "--data", join(home, name), "--listen", "127.0.0.1:0"];

describe("a signal ends a registry in order", () => {
  test("before it has begun", async () => {
    assert.equal((await rehearse(home, words("before"), { signal: AbortSignal.abort() })).exitCode, 0);
  });

  test("in the moment in which it says where it is", async () => {
    const interrupt = new AbortController();
    const stdout = new Writable({
      write: () => interrupt.abort(), // Never calls back: a reader that takes nothing.
    });
    const exitCode = await run(words("moment"), {
      stdin: () => Readable.from([]),
      stdout,
      stderr: new Writable({ write: (_, _encoding, done) => done() }),
      env: { HOME: home },
      signal: interrupt.signal,
    });
    assert.equal(exitCode, 0);
  });

  const started = (name: string): ChildProcess =>
    spawn(process.execPath, [main, ...words(name)], {
      env: { ...process.env, UV_THREADPOOL_SIZE: "8" },
      stdio: ["ignore", "pipe", "pipe"],
    });

  for (const signal of ["SIGTERM", "SIGINT"] as const)
    test(`${signal} as soon as the port is open, as a process`, async () => {
      const child = started(signal);
      await once(child.stdout ?? assert.fail(), "data");
      child.kill(signal);
      assert.deepEqual(await once(child, "close"), [0, null]);
    });

  test("SIGHUP as soon as the port is open reloads and ends nothing", async () => {
    const child = started("hangup");
    let said = "";
    const reloaded = new Promise<void>((resolve) => {
      child.stderr?.setEncoding("utf8").on("data", (text: string) => {
        said += text;
        if (said.includes("reloaded")) resolve();
      });
    });
    await once(child.stdout ?? assert.fail(), "data");
    child.kill("SIGHUP");
    await Promise.race([reloaded, once(child, "close").then(() => assert.fail(said))]);
    child.kill("SIGTERM");
    assert.deepEqual(await once(child, "close"), [0, null]);
  });
});

describe("what takes the space", () => {
  test("is told of each repository, as a table and as JSON", async () => {
    const data = join(home, "du");
    const nothing = await rehearse(home, ["serve", "du", "--data", data]);
    assert.equal(nothing.exitCode, 0, nothing.stderr);
    assert.match(
      nothing.stdout,
      /OWN +ALL +TAGS +REPOSITORY\n0 repositories: 0 blobs, 0 B in all, 0 B of it in no repository\n/,
    );
    const json = await rehearse(home, ["serve", "du", "--data", data, "-o", "json"]);
    assert.deepEqual(JSON.parse(json.stdout), {
      schemaVersion: 1,
      total: { repositories: 0, blobs: 0, bytes: 0, unlinked: 0 },
    });
  });
});

test("garbage collection is paused and goes on, and says so", async () => {
  const data = ["--data", join(home, "paused")];
  const said = async (...args: string[]): Promise<{ exitCode: number; stdout: string; stderr: string }> =>
    rehearse(home, ["serve", "gc", ...args, ...data]);
  const paused = await said("--pause", "6h");
  assert.match(paused.stdout, /^no garbage is collected until 2\S+Z; "dray serve gc --resume" ends that\n$/);
  const refused = await said();
  assert.equal(refused.exitCode, 1);
  assert.match(refused.stderr, /garbage collection is paused until 2\S+Z; "dray serve gc --resume" ends that/);
  assert.equal((await said("--dry-run")).exitCode, 0);
  assert.equal((await said("--resume")).stdout, "garbage is collected again\n");
  assert.match((await said()).stdout, /^removed 0 manifests/);
  assert.equal((await said("--pause", "6h", "--dry-run")).exitCode, 2);
});
