import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { test } from "node:test";
import { open } from "dray";
import { temporaryFolder } from "./files/index.ts";

const run = async (...args: string[]): Promise<{ code: unknown; stdout: string; stderr: string }> => {
  const child = spawn(process.execPath, [new URL("./main.ts", import.meta.url).pathname, ...args], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const said = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const)
    child[name].setEncoding("utf8").on("data", (text: string) => {
      said[name] += text;
    });
  const [code] = (await once(child, "close")) as [unknown];
  return { code, ...said };
};

test("a layout with the sample, and the same again", async () => {
  const folder = join(temporaryFolder("sample"), "sample");
  for (let i = 0; i < 2; i++) {
    const { code, stdout } = await run(folder);
    assert.equal(code, 0);
    const { store, name } = await open(`oci:${folder}:hello`);
    const { digest } = await store.resolve(name);
    assert.match(stdout, new RegExp(`"hello", ${digest}: two platforms`));
  }
});

test("an option that it does not know is a usage error", async () => {
  for (const args of [["--port"], ["a", "b"]]) {
    const { code, stderr } = await run(...args);
    assert.match(stderr, /^usage: npm run sample/);
    assert.equal(code, 2);
  }
});
