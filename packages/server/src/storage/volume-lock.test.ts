import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { before, test } from "node:test";
import { temporaryFolder } from "@dray/testkit/files";
import { nodeFiles, thisProcess } from "dray/internal/files";
import { filesystemDriver } from "./filesystem-driver.ts";
import { lockVolume } from "./volume-lock.ts";

let root: string;
before(() => {
  root = temporaryFolder("volume-lock");
});
const take = (path: string) => lockVolume(nodeFiles, path, "the volume V", "`dray serve gc`");

test("one at a time in a process, and again after release", async () => {
  const path = join(root, "here");
  const first = await take(path);
  await assert.rejects(take(path), {
    code: "LOCKED",
    message: new RegExp(`the volume V is held by .dray serve gc. .process ${process.pid} on ${hostname()}.; `),
  });
  await first.release();
  await (await take(path)).release();
  assert.deepEqual(
    (await readdir(root)).filter((name) => name.includes("holder")),
    [],
  );
});

/** Another process that holds a volume. */
const holding = async (path: string) => {
  const module = new URL("./volume-lock.ts", import.meta.url).href;
  const files = new URL("../../../dray/src/files/index.ts", import.meta.url).href;
  const child = spawn(
    process.execPath,
    [
      "--input-type=module",
      "-e",
      `const { lockVolume } = await import(${JSON.stringify(module)});
       const { nodeFiles } = await import(${JSON.stringify(files)});
       await lockVolume(nodeFiles, ${JSON.stringify(path)}, "the volume V");
       console.log("held");
       setInterval(() => {}, 1000);`,
    ],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  await once(child.stdout, "data");
  const kill = async (): Promise<void> => {
    child.kill("SIGKILL");
    await once(child, "close");
  };
  return { pid: child.pid, kill };
};

test("a holder that is killed holds nothing, and until then is named", async () => {
  const path = join(root, "there");
  const { pid, kill } = await holding(path);
  await assert.rejects(take(path), { code: "LOCKED", message: new RegExp(`process ${pid} on `) });
  await kill();
  await (await take(path)).release();
});

test("a copy of a volume is its own, also while the original is held", async () => {
  const [original, copy] = [join(root, "original"), join(root, "copy")];
  mkdirSync(original);
  const { pid, kill } = await holding(join(original, "volume"));
  cpSync(original, copy, { recursive: true });
  assert.ok(existsSync(join(copy, "volume.holder")));
  await (await take(join(copy, "volume"))).release();
  rmSync(join(original, "volume.lock"));
  await assert.rejects(take(join(original, "volume")), { code: "LOCKED", message: new RegExp(`process ${pid} on `) });
  await kill();
  await (await take(join(original, "volume"))).release();
});

test("a lock file that was removed is made again, and a second holder is noticed", async () => {
  const path = join(root, "removed");
  const first = await take(path);
  rmSync(`${path}.lock`);
  first.keep?.();
  await assert.rejects(take(path), { code: "LOCKED" });
  // Everything went, and another process was faster.
  for (const end of ["lock", "holder"]) rmSync(`${path}.${end}`);
  const second = await take(path);
  assert.throws(() => first.keep?.(), { code: "LOCKED", message: /is held by/ });
  await first.release();
  assert.equal(existsSync(`${path}.holder`), true);
  await second.release();
});

test("a holder that lives keeps others away, though its lock file was removed", async () => {
  const path = join(root, "lives");
  const child = spawn("sleep", ["60"]);
  await once(child, "spawn");
  const { machine } = thisProcess();
  const started = readFileSync(`/proc/${child.pid}/stat`, "latin1").split(" ")[21];
  const holder = JSON.stringify({ pid: child.pid, started, machine });
  writeFileSync(`${path}.holder`, `\`dray serve\` (process ${child.pid} on here)\n${holder}\n`);
  await assert.rejects(take(path), { code: "LOCKED", message: new RegExp(`process ${child.pid} on here`) });
  child.kill();
  await once(child, "close");
  await (await take(path)).release();
});

for (const [title, end] of [
  ["a folder in the place of the lock file", "lock"],
  ["a folder in the place of its holder's name", "holder"],
] as const)
  test(`${title} is in nobody's way`, async () => {
    const path = join(root, `folder-${end}`);
    mkdirSync(`${path}.${end}`);
    const held = await take(path);
    await assert.rejects(take(path), { code: "LOCKED" });
    await held.release();
  });

test("a driver is locked by it", async () => {
  const folder = join(root, "volume");
  const driver = await filesystemDriver(folder, { lock: lockVolume });
  await assert.rejects(filesystemDriver(folder, { lock: lockVolume }), { code: "LOCKED" });
  await driver.close();
  await (await filesystemDriver(folder, { lock: lockVolume })).close();
});
