import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Readable, Writable } from "node:stream";
import { before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { temporaryFolder } from "@dray/testkit/files";
import { digestOf, mediaTypes } from "dray/oci";
import { rehearse } from "../../test/rehearse.ts";
import { run } from "../run.ts";

const main = fileURLToPath(new URL("../main.ts", import.meta.url));

let home: string;
before(() => {
  home = temporaryFolder("serve-command");
});
const words = (name: string): string[] => ["serve", "--data", join(home, name), "--listen", "127.0.0.1:0"];

test("who looks after a folder that is not there is told so, and makes nothing", async () => {
  const data = join(home, "mistyped");
  for (const name of ["gc", "verify", "check", "rebuild", "du"]) {
    const { exitCode, stderr } = await rehearse(home, ["serve", name, "--data", data]);
    assert.equal(exitCode, 5, name);
    assert.match(stderr, /^Error: there is no folder .*mistyped; check the path of the data\n$/);
    assert.equal(existsSync(data), false, name);
  }
});

test("who asks a registry that is not running is told where it was looked for", async () => {
  const [missing, quiet] = [join(home, "unmounted"), join(home, "quiet")];
  await mkdir(quiet);
  for (const words of [["status"], ["reload"], ["read-only", "on"]]) {
    const told = async (data: string): Promise<string> => {
      const { exitCode, stderr } = await rehearse(home, ["serve", ...words, "--data", data]);
      assert.equal(exitCode, 5);
      return stderr;
    };
    assert.match(await told(missing), /^Error: there is no folder \S+unmounted; .* that its volume is mounted: /);
    assert.match(await told(quiet), /^Error: no registry is running on \S+quiet; .* --data DIR\n$/);
  }
});

test("words about a configuration that name nothing end with 2 and the word", async () => {
  const missing = await rehearse(home, ["serve", join(home, "nofile.yml")]);
  assert.deepEqual([missing.exitCode, /nofile\.yml: it does not exist/.test(missing.stderr)], [2, true]);
  const unknown = await rehearse(home, [...words("set"), "--set", "foo=bar"]);
  assert.deepEqual([unknown.exitCode, /--set: foo: no key is called so/.test(unknown.stderr)], [2, true]);
});

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
    await mkdir(data);
    const nothing = await rehearse(home, ["serve", "du", "--data", data]);
    assert.equal(nothing.exitCode, 0, nothing.stderr);
    assert.match(
      nothing.stdout,
      /OWN +ALL +TAGS +REPOSITORY\n0 repositories: 0 blobs, 0 B in all, 0 B of it in no repository\n/,
    );
    const json = await rehearse(home, ["serve", "du", "--data", data, "-o", "json"]);
    assert.deepEqual(JSON.parse(json.stdout), {
      schemaVersion: 1,
      total: { repositories: 0, blobs: 0, bytes: 0, unlinked: 0, quarantined: 0 },
    });
  });
});

test("garbage collection is paused and goes on, and says so", async () => {
  const data = ["--data", join(home, "paused")];
  await mkdir(join(home, "paused"));
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

describe("what is not whole", () => {
  test("is told with a remedy, ends with 1, and is put aside on demand", async () => {
    const data = join(home, "verify");
    const tree = join(data, "docker/registry/v2");
    const hex = "ab".repeat(32);
    const put = async (path: string, text: string): Promise<void> => {
      await mkdir(dirname(join(tree, path)), { recursive: true });
      await writeFile(join(tree, path), text);
    };
    await put(`blobs/sha256/ab/${hex}/data`, "something else");
    await put("repositories/app/_manifests/tags/v1/current/link", `sha256:${"0".repeat(64)}`);
    const verify = (...more: string[]) =>
      rehearse(home, ["serve", "verify", "--data", data, "--rate", "1GiB", ...more]);
    const told = await verify();
    assert.equal(told.exitCode, 1, told.stderr);
    assert.match(told.stdout, /^tag app:v1@sha256:0+: it stands for a manifest that is not here; push app:v1 again/);
    assert.match(told.stdout, /\ndata sha256:(?:ab)+: its 14 bytes have the digest sha256:.*; no image needs it/);
    assert.match(told.stdout, /\n1 tag, 0 manifests, 1 blob, 14 B: 2 findings\n$/);
    const aside = await verify("--quarantine", "-o", "json");
    const lines = aside.stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    assert.equal(aside.exitCode, 1, aside.stderr);
    assert.equal(lines[1].finding.putAside, `dray/quarantine/sha256/${hex}`);
    assert.equal(lines[2].verified.quarantined, 1);
    const du = await rehearse(home, ["serve", "du", "--data", data]);
    assert.match(du.stdout, /in no repository; 14 B put aside in dray\/quarantine\n$/);
    // As the page has it.
    await rm(join(data, "dray/quarantine"), { recursive: true });
    assert.match((await rehearse(home, ["serve", "du", "--data", data])).stdout, /in no repository\n$/);
    await writeFile(join(tree, "repositories/app/_manifests/tags/v1/current/link"), "");
    assert.match((await verify()).stdout, /its link names no digest.*\n1 tag, 0 manifests, 0 blobs, 0 B: 1 finding\n$/);
  });
});

test("restore says what was deleted and what was not, what is not here in one line, and puts tags back", async () => {
  const data = join(home, "restore");
  const tree = join(data, "docker/registry/v2");
  const put = async (path: string, text: string): Promise<void> => {
    await mkdir(dirname(join(tree, path)), { recursive: true });
    await writeFile(join(tree, path), text);
  };
  const children = Array.from({ length: 7 }, (_, i) => ({
    mediaType: mediaTypes.ociManifest,
    digest: `sha256:${String(i).repeat(64)}`,
    size: 1,
  }));
  const index = JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: children });
  const digest = digestOf(new TextEncoder().encode(index));
  const hex = digest.slice("sha256:".length);
  await put(`blobs/sha256/${hex.slice(0, 2)}/${hex}/data`, index);
  await put(`repositories/app/_manifests/revisions/sha256/${hex}/link`, digest);
  await put("repositories/app/_manifests/tags/v1/current/link", digest);
  for (const tag of ["old", "older"]) await put(`repositories/app/_meta/deleted-tags/${tag}`, digest);
  const restore = (...more: string[]) => rehearse(home, ["serve", "restore", `app@${digest}`, "--data", data, ...more]);
  const nothing = await restore();
  assert.equal(nothing.exitCode, 0, nothing.stderr);
  assert.equal(
    nothing.stdout,
    `nothing was deleted: manifest app@${digest} has all its links\nits tags: v1\ndeleted tags that stood for it: old, older; dray serve restore --tags app@${digest} puts them back\n`,
  );
  assert.match(
    nothing.stderr,
    /^[^\n]*7 manifests of the index are not here, and may never have been: (?:sha256:\d+, ){4}sha256:\d+ and 2 more\n$/,
  );
  await rm(join(tree, `repositories/app/_manifests/revisions/sha256/${hex}/link`));
  const restored = await restore("--tags", "-o", "json");
  assert.deepEqual(JSON.parse(restored.stdout), {
    schemaVersion: 1,
    restored: {
      digest,
      kind: "manifest",
      links: 1,
      missing: children.map((child) => child.digest),
      putBack: ["old", "older"],
      tags: ["old", "older", "v1"],
      formerTags: [],
    },
  });
  await put("repositories/app/_meta/deleted-tags/again", digest);
  const again = await restore("--tags");
  assert.equal(
    again.stdout,
    `restored tags of manifest app@${digest}; all its links were there\nput back: again\nits tags: again, old, older, v1\n`,
  );
  assert.match((await restore("--tags")).stdout, /^nothing was deleted: [^\n]*\nits tags: again, old, older, v1\n$/);
  const there = await rehearse(home, ["serve", "restore", "app:v1", "--data", data]);
  assert.equal(there.exitCode, 5);
  assert.match(there.stderr, /^Error: app:v1 is there, for sha256:\w+; nothing is known of what it stood for before; /);
});
