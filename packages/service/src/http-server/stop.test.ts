import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { request as ask } from "node:http";
import { connect } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { rawClient, statuses } from "@dray/testkit";
import { temporaryFolder } from "@dray/testkit/files";
import type { Handler } from "dray/http";
import { halved } from "../../test/halved.ts";
import { bare, withBytes } from "../response/index.ts";
import { listen } from "./index.ts";

const get = (target: string): string => `GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n`;

/** Answers `/slow` when the gate opens, all else at once. */
const gated = (): { handler: Handler; gate: PromiseWithResolvers<void>; begun: Promise<void> } => {
  const [gate, begun] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const handler: Handler = async (request) => {
    if (request.target === "/slow") {
      begun.resolve();
      await gate.promise;
    }
    return withBytes(request, 200, [], new TextEncoder().encode("hello"));
  };
  return { handler, gate, begun: begun.promise };
};

const refused = (port: number): Promise<string> =>
  new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.on("error", (error: NodeJS.ErrnoException) => resolve(String(error.code)));
    socket.on("connect", () => {
      socket.destroy();
      resolve("connected");
    });
  });

test("a stop ends idle connections, waits for requests in flight, and takes no more", async () => {
  const { handler, gate, begun } = gated();
  const server = await listen(handler);
  const idle = await rawClient(server.port);
  idle.send(get("/x"));
  await idle.until(/hello/);
  const busy = await rawClient(server.port);
  busy.send(get("/slow"));
  await begun;

  let stopped = false;
  const stop = server.stop({ drain: 60_000 }).then(() => (stopped = true));
  assert.equal((await idle.ended()).code, undefined);
  assert.equal(await refused(server.port), "ECONNREFUSED");
  assert.equal(stopped, false);
  gate.resolve();
  const { text, code } = await busy.ended();
  assert.deepEqual([statuses(text), code], [[200], undefined]);
  assert.match(text, /\r\nConnection: close\r\n[^]*hello$/);
  await stop;
});

test("what is not done when the time is over is broken off", async () => {
  const { handler, gate, begun } = gated();
  const server = await listen(handler);
  const busy = await rawClient(server.port);
  busy.send(get("/slow"));
  await begun;
  await server.stop({ drain: 50 });
  assert.equal((await busy.ended()).text, "");
  gate.resolve();
});

test("a download in flight is finished, an upload too", async () => {
  const size = 8 * 1024 * 1024;
  const begun = Promise.withResolvers<void>();
  const server = await listen(async (request) => {
    const { body } = request;
    begun.resolve();
    if (body === undefined || !("chunks" in body)) return withBytes(request, 200, [], new Uint8Array(size));
    let total = 0;
    for await (const chunk of body.chunks) total += chunk.byteLength;
    return {
      ...bare(request, 200),
      headers: [
        ["X-Sum", String(total)],
        ["Content-Length", "0"],
      ],
    };
  });
  const upload = await rawClient(server.port);
  upload.send(`PUT /x HTTP/1.1\r\nHost: a\r\nContent-Length: ${size}\r\n\r\n`);
  await begun.promise;
  const stop = server.stop({ drain: 60_000 });
  for (let sent = 0; sent < size; sent += 65_536) upload.send(new Uint8Array(65_536));
  await upload.until(new RegExp(`X-Sum: ${size}\r\n`));
  await stop;
});

test("a stop ends with the last answer, though that one began before and its client keeps the connection", async () => {
  const { handler, finish } = halved();
  const server = await listen(handler);
  const downloading = await rawClient(server.port);
  downloading.send(get("/x"));
  await downloading.until(/first/);
  // Neither of these asks for anything that could be answered.
  const silent = await rawClient(server.port);
  const half = await rawClient(server.port);
  half.send("GET /x HTTP/1.1\r\nHost:");
  const stop = server.stop({ drain: 2 ** 31 - 1 });
  finish();
  const { text, code } = await downloading.ended();
  assert.deepEqual([statuses(text), code], [[200], undefined]);
  assert.match(text, /firstafter$/);
  await stop;
  await half.ended();
  silent.socket.destroy();
});

test("before it takes no more, a stop has answers say that they are the last of their connection", async () => {
  const { handler } = gated();
  const server = await listen(handler);
  const kept = await rawClient(server.port);
  kept.send(get("/x"));
  await kept.until(/hello/);
  const stop = server.stop({ drain: 60_000, notice: 500 });
  const fresh = await rawClient(server.port);
  for (const client of [kept, fresh]) {
    client.send(get("/x"));
    const { text, code } = await client.ended();
    assert.equal(code, undefined);
    assert.match(text, /\r\nConnection: close\r\n[^]*hello$/);
  }
  await stop;
  assert.equal(await refused(server.port), "ECONNREFUSED");
});

test("stopping twice, or closing while it stops, is no error", async () => {
  const { handler, gate, begun } = gated();
  const server = await listen(handler);
  const busy = await rawClient(server.port);
  busy.send(get("/slow"));
  await begun;
  const stop = server.stop({ drain: 60_000 });
  await server.close();
  await stop;
  await server.close();
  gate.resolve();
});

test("a unix socket serves, and is gone when the listener is", async () => {
  const directory = temporaryFolder("listen");
  const unix = join(directory, "socket");
  let peer: string | undefined;
  const server = await listen(
    async (request) => {
      peer = request.peer;
      return withBytes(request, 200, [], new Uint8Array(3));
    },
    { unix },
  );
  const status = await new Promise((resolve, reject) => {
    ask({ socketPath: unix, path: "/x", agent: false }, (response) => {
      response.resume().on("end", () => resolve(response.statusCode));
    })
      .on("error", reject)
      .end();
  });
  assert.deepEqual([status, peer], [200, "unix"]);
  await server.close();
  await assert.rejects(new Promise((resolve, reject) => connect(unix).on("connect", resolve).on("error", reject)), {
    code: "ENOENT",
  });
});

test("a unix socket that a killed process left is replaced; one that answers and a file are not", async () => {
  const directory = temporaryFolder("left");
  const unix = join(directory, "socket");
  const child = spawn(
    process.execPath,
    ["-e", `require("node:net").createServer().listen(${JSON.stringify(unix)}, () => console.log("up"))`],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  await once(child.stdout, "data");
  child.kill("SIGKILL");
  await once(child, "close");
  const { handler } = gated();
  const server = await listen(handler, { unix });
  await assert.rejects(listen(handler, { unix }), { code: "EADDRINUSE" });
  await server.close();
  const file = join(directory, "file");
  writeFileSync(file, "kept");
  await assert.rejects(listen(handler, { unix: file }), { code: "EADDRINUSE" });
  assert.equal(readFileSync(file, "utf8"), "kept");
});

test("a port that is taken is an error", async () => {
  const { handler } = gated();
  const server = await listen(handler);
  await assert.rejects(listen(handler, { port: server.port }), { code: "EADDRINUSE" });
  await server.close();
});
