import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { readFile, rename, stat } from "node:fs/promises";
import { join } from "node:path";
import { before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { temporaryFolder } from "@dray/testkit/files";
import { openLines } from "./lines.ts";

let dir: string;
before(() => {
  dir = temporaryFolder("lines");
});
test("lines are appended in order, to a file that only its owner and group read", async () => {
  const path = join(dir, "deep", "audit.log");
  for (const part of [0, 1]) {
    const lines = await openLines(path);
    for (let at = 0; at < 1000; at++) lines.write(`${part * 1000 + at}\n`);
    await lines.close();
    lines.write("after the end\n");
  }
  assert.equal(await readFile(path, "utf8"), Array.from({ length: 2000 }, (_, at) => `${at}\n`).join(""));
  assert.equal((await stat(path)).mode & 0o027, 0);
});

test("a file that was moved away is made again", async () => {
  const path = join(dir, "moved.log");
  const lines = await openLines(path);
  lines.write("one\n");
  while (!existsSync(path) || (await stat(path)).size === 0) await sleep(5);
  await rename(path, `${path}.1`);
  await lines.reopen();
  lines.write("two\n");
  await lines.close();
  await lines.reopen();
  assert.equal(await readFile(`${path}.1`, "utf8"), "one\n");
  assert.equal(await readFile(path, "utf8"), "two\n");
});

test("a place that cannot be written is an error at the start", async () => {
  await assert.rejects(openLines(join("/dev/null", "x")), { code: "DISK" });
});

test("lines that come while one is written come after it", async () => {
  const path = join(dir, "many.log");
  const lines = await openLines(path);
  const written: string[] = [];
  for (let at = 0; at < 300; at++) {
    written.push(`${at} ${"x".repeat(at % 100)}\n`);
    lines.write(written.at(-1) ?? "");
    if (at % 10 === 0) await sleep(1);
    if (at % 50 === 0) void lines.reopen();
  }
  await lines.close();
  assert.equal(await readFile(path, "utf8"), written.join(""));
});

test("lines may wait for others, and are there when it is closed or when they are many", async () => {
  const path = join(dir, "waiting.log");
  const lines = await openLines(path, { delay: 3_600_000 });
  lines.write("one\n");
  await sleep(20);
  assert.equal(await readFile(path, "utf8"), "");
  lines.write(`${"x".repeat(100_000)}\n`);
  while ((await stat(path)).size < 100_000) await sleep(5);
  lines.write("two\n");
  await lines.close();
  assert.match(await readFile(path, "utf8"), /^one\nx{100000}\ntwo\n$/);
  const soon = await openLines(path, { delay: 5 });
  for (const word of ["three\n", "four\n"]) {
    soon.write(word);
    while (!(await readFile(path, "utf8")).endsWith(word)) await sleep(5);
  }
  await soon.close();
});

test("a full disk is told once and costs no more than the lines", {
  skip: existsSync("/dev/full") ? false : "there is no /dev/full",
}, async () => {
  const troubles: string[] = [];
  const lines = await openLines("/dev/full", { onTrouble: (message) => troubles.push(message) });
  for (let at = 0; at < 5; at++) {
    lines.write("x\n");
    await sleep(10);
  }
  await lines.close();
  assert.equal(troubles.length, 1);
  assert.match(
    troubles[0] ?? "",
    /^cannot write the log to \/dev\/full: the disk is full \(ENOSPC\), and lines are lost until there is room: free some space/,
  );
});

test("a reader that goes away does not end the process", async () => {
  const script = `
    const { openLines } = await import(${JSON.stringify(fileURLToPath(new URL("./lines.ts", import.meta.url)))});
    const lines = await openLines(1);
    for (let at = 0; at < 200; at++) { lines.write("x".repeat(1000) + "\\n"); if (at % 50 === 0) await new Promise((ok) => setTimeout(ok, 20)); }
    await lines.close();
    process.stderr.write("alive");`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", script], { stdio: ["ignore", "pipe", "pipe"] });
  child.stdout.once("data", () => child.stdout.destroy());
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    said += text;
  });
  await new Promise((resolve) => child.once("close", resolve));
  assert.match(said, /alive$/);
});
