import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryFolder } from "@dray/testkit/files";

test("a process with nothing else to do ends by itself, once what was handed over is written", async () => {
  const folder = temporaryFolder("ending");
  const path = join(folder, "file");
  const program = `
      const { appendFile, nodeFiles } = await import(${JSON.stringify(new URL("../index.ts", import.meta.url).href)});
      const opened = await nodeFiles.open(${JSON.stringify(path)}, "wx+");
      const file = await appendFile(opened, "file", { algorithm: "sha256", threadFrom: 0 });
      await file.append(new Uint8Array(5_000_000));
      console.log(await file.flush());
      await file.close();
    `;
  const child = spawn(process.execPath, ["--input-type=module", "-e", program], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  child.stdout.setEncoding("utf8");
  const said = (await Array.fromAsync(child.stdout)).join("");
  const code = child.exitCode ?? (await new Promise((resolve) => void child.once("close", resolve)));
  assert.equal(code, 0);
  assert.equal(said, "5000000\n");
  assert.equal((await stat(path)).size, 5_000_000);
});
