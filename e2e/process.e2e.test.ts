/** The command as a process among others: pipes that end, signals, full disks. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { faults, type Listener, listen, memoryRegistry, put, sampleImage, stall } from "@dray/testkit";
import { type Finished, findPeer, finish } from "@dray/testkit/peers";
import { missing, type Sandbox, workshop } from "./dray.ts";

const bash = findPeer("bash");
const main = fileURLToPath(new URL("../packages/cli/src/main.ts", import.meta.url));

describe("among processes", () => {
  let shop: Sandbox;
  let server: Listener;
  /** Never answers for a blob. */
  let slow: Listener;
  /** Sends half of a layer and no more. */
  let half: Listener;
  const registry = memoryRegistry({ pageSize: 1000 });
  const image = sampleImage({ seed: "process", layers: 2, layerSize: 3_000_000 });
  const layer = image.layers[0]?.digest;

  before(async () => {
    shop = await workshop();
    put(registry, "demo/app", "1", image);
    registry.addTags(
      "demo/many",
      Array.from({ length: 20_000 }, (_, i) => `build-${i}`),
    );
    server = await listen(registry.handler);
    slow = await listen(faults(registry.handler, [{ method: "GET", target: "/blobs/", effect: stall(0) }]));
    half = await listen(faults(registry.handler, [{ method: "GET", target: `${layer}`, effect: stall(1_500_000) }]));
  });
  after(async () => {
    await Promise.all([server, slow, half].map((each) => each.close()));
    await shop.close();
  });

  /** `dray` in the line is the command. */
  const shell = (line: string): Promise<Finished> =>
    finish(
      [bash as string, "-c", `set -o pipefail; ${line.replaceAll("dray ", '"$0" "$1" ')}`, process.execPath, main],
      {
        env: { HOME: shop.dir },
      },
    );

  test("a reader that stops reading ends us quietly", { skip: missing(["bash", bash]) }, async () => {
    for (const words of [`ls ${server.host}/demo/many`, `blob ${server.host}/demo/app@${layer}`]) {
      const { code, stdout, stderr } = await shell(`dray ${words} | head -c 100`);
      assert.deepEqual([code, stderr, stdout.length > 10], [141, "", true], words);
    }
  });

  test("a slow reader gets everything", { skip: missing(["bash", bash]) }, async () => {
    const { stdout } = await shell(`dray blob ${server.host}/demo/app@${layer} | { sleep 0.3; wc -c; }`);
    assert.equal(Number(stdout), image.layers[0]?.size);
    const lines = await shell(`dray ls ${server.host}/demo/many | { sleep 0.3; wc -l; }`);
    assert.equal(Number(lines.stdout), 20_000);
  });

  test("a full disk behind stdout is an error", {
    skip: existsSync("/dev/full") ? false : "there is no /dev/full",
  }, async () => {
    for (const words of [`ls ${server.host}/demo/many`, `blob ${server.host}/demo/app@${layer}`, "completion bash"]) {
      const { code, stderr } = await shell(`dray ${words} > /dev/full`);
      assert.equal(code, 1, words);
      assert.match(stderr, /^Error: cannot write to standard output: .*ENOSPC.*\n$/, words);
    }
  });

  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    /** What is on the terminal after the signal, which comes when `seen` is there. */
    const interrupted = async (from: Listener, seen: RegExp): Promise<string> => {
      const target = `interrupted-${signal}.tar`;
      const child = shop.start(["pull", "--progress", "tty", `${from.host}/demo/app:1`, shop.path(target)]);
      let stderr = "";
      child.stderr?.setEncoding("utf8").on("data", (text: string) => {
        stderr += text;
        if (seen.test(stderr) && !child.killed) child.kill(signal);
      });
      const code = await new Promise((resolve) => child.on("close", resolve));
      assert.equal(code, 130, stderr);
      assert.ok(!(await readdir(shop.dir)).includes(target));
      return stderr;
    };

    test(`${signal} ends a pull with 130, gives the cursor back and leaves nothing under the final name`, async () => {
      // Bars: it is in the middle of it, and nothing has come.
      assert.match(await interrupted(slow, /\u001b\[\?25l/), /\u001b\[\?25hError: interrupted\n$/);
    });

    test(`${signal} in the middle of what comes says that it is kept`, async () => {
      assert.match(
        await interrupted(half, /\] [1-9][\d.]* MB of 6\.0 MB/),
        /\u001b\[\?25hError: interrupted; what arrived is kept, and the same command goes on with it\n$/,
      );
    });
  }

  test("Ctrl-C while nobody takes what we print", async () => {
    const child = spawn(process.execPath, [main, "blob", `${server.host}/demo/app@${layer}`], {
      env: { ...process.env, HOME: shop.dir },
      stdio: ["ignore", "pipe", "ignore"],
    });
    // It prints until the pipe is full.
    await once(child.stdout, "readable");
    await sleep(500);
    child.kill("SIGINT");
    assert.equal(await new Promise((resolve) => child.on("exit", resolve)), 130);
    child.stdout.destroy();
  });
});
