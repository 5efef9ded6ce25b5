import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { request } from "node:http";
import { test } from "node:test";
import { collect } from "dray/content";

const start = (...args: string[]) =>
  spawn(process.execPath, [new URL("./main.ts", import.meta.url).pathname, ...args], {
    stdio: ["ignore", "pipe", "pipe"],
  });

const firstText = async (stream: AsyncIterable<Uint8Array>): Promise<string> => {
  for await (const chunk of stream) return Buffer.from(chunk).toString();
  return "";
};

const get = (url: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const asked = request(url, { agent: false }, (response) => {
      collect(response, 2 ** 20, url).then((bytes) => resolve(Buffer.from(bytes).toString()), reject);
    });
    asked.on("error", reject);
    asked.end();
  });

test("it says where it serves what, serves it, and ends when it is told to", async () => {
  const child = start("--port", "0");
  const ended = once(child, "exit");
  try {
    const said = await firstText(child.stdout);
    const [origin = ""] = /http:\/\/127\.0\.0\.1:[0-9]+/.exec(said) ?? [];
    assert.match(said, /npx dray tree localhost:[0-9]+\/demo\/hello:1\.0/);
    assert.equal(await get(`${origin}/v2/demo/hello/tags/list`), '{"name":"demo/hello","tags":["1.0","latest"]}');
  } finally {
    child.kill("SIGINT");
  }
  assert.deepEqual(await ended, [0, null]);
});

test("an option that it does not know is a usage error", async () => {
  for (const args of [["--port", "x"], ["--port", "70000"], ["--nope"], ["extra"]]) {
    const child = start(...args);
    const ended = once(child, "exit");
    assert.match(await firstText(child.stderr), /^usage: npm start/);
    assert.deepEqual(await ended, [2, null]);
  }
});
