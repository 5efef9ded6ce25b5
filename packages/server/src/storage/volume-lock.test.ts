import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdir } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { before, test } from "node:test";
import { temporaryFolder } from "@dray/testkit/files";
import { nodeFiles } from "dray/internal/files";
import { filesystemDriver } from "./filesystem-driver.ts";
import { lockVolume } from "./volume-lock.ts";

let root: string;
before(() => {
  root = temporaryFolder("volume-lock");
});
const take = (path: string) => lockVolume(nodeFiles, path, "the volume V");

test("one at a time in a process, and again after release", async () => {
  const path = join(root, "here");
  const first = await take(path);
  await assert.rejects(take(path), {
    code: "LOCKED",
    message: new RegExp(`the volume V is served by process ${process.pid} on ${hostname()}`),
  });
  await first.release();
  await (await take(path)).release();
  assert.deepEqual(
    (await readdir(root)).filter((name) => name.includes("holder")),
    [],
  );
});

test("a holder that is killed holds nothing, and until then is named", async () => {
  const path = join(root, "there");
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
  await assert.rejects(take(path), { code: "LOCKED", message: new RegExp(`process ${child.pid} on `) });
  child.kill("SIGKILL");
  await once(child, "close");
  await (await take(path)).release();
});

test("a driver is locked by it", async () => {
  const folder = join(root, "volume");
  const driver = await filesystemDriver(folder, { lock: lockVolume });
  await assert.rejects(filesystemDriver(folder, { lock: lockVolume }), { code: "LOCKED" });
  await driver.close();
  await (await filesystemDriver(folder, { lock: lockVolume })).close();
});
