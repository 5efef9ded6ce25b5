/** `deploy/backup.sh` where a copy fails, and where somebody has paused garbage collection before; its copies are tried by `e2e/operating`. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { temporaryFolder } from "@dray/testkit/files";

const script = fileURLToPath(new URL("../../../../deploy/backup.sh", import.meta.url));
const root = temporaryFolder("backup");
const day = 86_400_000;

/** With programs that note what they were told; `rsync` makes its target, then ends so. */
const copied = (name: string, ends: number, pausedFor?: number) => {
  const at = (path: string): string => join(root, name, path);
  for (const each of ["bin", "data/dray", "copies"]) mkdirSync(at(each), { recursive: true });
  writeFileSync(at("bin/dray"), `#!/bin/sh\necho "$*" >>"${at("told")}"\n`, { mode: 0o755 });
  writeFileSync(at("bin/rsync"), `#!/bin/sh\nfor to; do :; done; mkdir -p "$to"; exit ${ends}\n`, { mode: 0o755 });
  if (pausedFor !== undefined)
    writeFileSync(at("data/dray/gc-paused-until"), `${new Date(Date.now() + pausedFor).toISOString()}\n`);
  const { status } = spawnSync("/bin/sh", [script, "c.yml", at("data"), at("copies")], {
    env: { PATH: `${at("bin")}:${process.env["PATH"]}` },
  });
  const told = readFileSync(at("told"), "utf8").trim().split("\n");
  return { status, copies: readdirSync(at("copies")), told };
};

test("a copy has its name when it is whole, and collection is paused meanwhile", () => {
  for (const ends of [0, 24]) {
    const { status, copies, told } = copied(`whole-${ends}`, ends);
    assert.equal(status, 0);
    assert.match(copies.join(), /^\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ$/);
    assert.deepEqual(told, ["serve gc --pause 24h c.yml", "serve gc --resume c.yml"]);
  }
});

test("where rsync fails nothing is left, and the pause ends", () => {
  const { status, copies, told } = copied("failed", 23);
  assert.notEqual(status, 0);
  assert.deepEqual(copies, []);
  assert.equal(told.at(-1), "serve gc --resume c.yml");
});

test("a pause of somebody else goes on for what is left of it", () => {
  const short = copied("short", 0, day / 2).told;
  assert.equal(short[0], "serve gc --pause 24h c.yml");
  const [, left] = /^serve gc --pause (\d+)s c\.yml$/.exec(short[1] ?? "") ?? [];
  assert.ok(Number(left) > 40_000 && Number(left) <= 43_200, short.join());
  const long = copied("long", 0, 3 * day).told;
  assert.ok(long.length > 0);
  for (const each of long) assert.match(each, /--pause (2[0-9]{5})s/, "it is never made shorter");
  assert.equal(copied("over", 0, -day).told.at(-1), "serve gc --resume c.yml");
});
