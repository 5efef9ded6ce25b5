import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { test } from "node:test";
import { Worker } from "node:worker_threads";
import { IdleTimer } from "./idle-timer.ts";

/** Resolves when it expires, with the milliseconds that the wait had lasted then. */
const expiry = (limit: number): { timer: IdleTimer; expired: Promise<number> } => {
  const { promise, resolve } = Promise.withResolvers<number>();
  const begun = performance.now();
  return { timer: new IdleTimer(limit, () => resolve(performance.now() - begun)), expired: promise };
};

test("a wait ends after its limit, counted from the last one's begin", async () => {
  const { timer, expired } = expiry(20);
  timer.begin();
  timer.end();
  await new Promise((resolve) => setTimeout(resolve, 30));
  timer.begin();
  assert.ok((await expired) >= 49);
  timer.stop();
});

test("what came while this process did nothing has its turn before the wait is over", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const written = new Int32Array(new SharedArrayBuffer(4));
  // Writes while the thread of this test does nothing.
  const worker = new Worker(
    `const { workerData: { port, written }, parentPort } = require("node:worker_threads");
     const socket = require("node:net").connect(port, "127.0.0.1", () => {
       parentPort.postMessage("connected");
       Atomics.wait(written, 0, 0);
       socket.write("x", () => {
         Atomics.store(written, 0, 2);
         Atomics.notify(written, 0);
       });
     });`,
    { eval: true, workerData: { port: (server.address() as AddressInfo).port, written } },
  );
  const [[accepted]] = (await Promise.all([once(server, "connection"), once(worker, "message")])) as [
    [Socket],
    unknown,
  ];
  const outcome = new Promise<string>((resolve) => {
    const timer = new IdleTimer(20, () => resolve("it expired"));
    accepted.once("data", () => {
      timer.stop();
      resolve("it came");
    });
    timer.begin();
  });
  Atomics.store(written, 0, 1);
  Atomics.notify(written, 0);
  Atomics.wait(written, 0, 1);
  for (const end = performance.now() + 40; performance.now() < end; );
  const what = await outcome;
  accepted.destroy();
  server.close();
  await worker.terminate();
  assert.equal(what, "it came");
});
