import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { request as ask } from "node:https";
import type { AddressInfo } from "node:net";
import { connect as plainly } from "node:net";
import { test } from "node:test";
import { connect, type TLSSocket } from "node:tls";
import { testCertificates } from "@dray/testkit";
import type { Handler } from "dray/http";
import { halved } from "../../test/halved.ts";
import { withBytes } from "../response/index.ts";
import { type FailedHandshake, type Listener, listen, type TlsOptions } from "./index.ts";
import { startShared, takeOver } from "./take-over.ts";

const certificates = testCertificates();
const { ca, server: own, client } = certificates;
const next = testCertificates();

/** Bun says nothing of a handshake but that it failed. */
const tellsReasons = process.versions["bun"] === undefined;

const hello: Handler = async (request) => withBytes(request, 200, [], new TextEncoder().encode("hello"));

const served = async (tls: TlsOptions, use: (server: Listener) => Promise<void>, handler = hello): Promise<void> => {
  const server = await listen(handler, { tls });
  try {
    await use(server);
  } finally {
    await server.close();
  }
};

const status = (server: Listener, options: object): Promise<number> =>
  new Promise((resolve, reject) => {
    ask({ host: "127.0.0.1", port: server.port, agent: false, ...options }, (response) => {
      response.on("error", reject).resume();
      resolve(response.statusCode ?? 0);
    })
      .on("error", reject)
      .end();
  });

test("only clients with a certificate of the authority are served", () =>
  served({ ...own, ca: ca.cert, clientAuth: "require" }, async (server) => {
    assert.equal(server.origin, `https://127.0.0.1:${server.port}`);
    assert.equal(await status(server, { ca: ca.cert, ...client }), 200);
    await assert.rejects(status(server, { ca: ca.cert }));
    await assert.rejects(status(server, { ca: ca.cert, ...testCertificates().client }));
    await assert.rejects(status(server, { ca: ca.cert, ...client, maxVersion: "TLSv1.2", cert: undefined }));
    assert.equal(await status(server, { ca: ca.cert, ...client, maxVersion: "TLSv1.2" }), 200);
  }));

test("a certificate that is only asked for may be missing", () =>
  served({ ...own, ca: ca.cert, clientAuth: "request" }, async (server) => {
    assert.equal(await status(server, { ca: ca.cert, ...client }), 200);
    assert.equal(await status(server, { ca: ca.cert }), 200);
  }));

test("versions below the least are refused", () =>
  served({ ...own, minVersion: "TLSv1.3" }, async (server) => {
    assert.equal(await status(server, { ca: ca.cert }), 200);
    await assert.rejects(status(server, { ca: ca.cert, maxVersion: "TLSv1.2" }));
  }));

test("ciphers are the ones that were named", () =>
  served({ ...own, ciphers: "ECDHE-ECDSA-AES128-GCM-SHA256" }, async (server) => {
    const with12 = { ca: ca.cert, maxVersion: "TLSv1.2" };
    assert.equal(await status(server, { ...with12, ciphers: "ECDHE-ECDSA-AES128-GCM-SHA256" }), 200);
    await assert.rejects(status(server, { ...with12, ciphers: "ECDHE-ECDSA-AES256-GCM-SHA384" }));
  }));

test("a certificate that cannot be used is an error before anything listens", async () => {
  await assert.rejects(listen(hello, { tls: { cert: "x", key: own.key } }), { code: "CONFIG_INVALID" });
  await assert.rejects(listen(hello, { tls: { cert: own.cert, key: client.key } }), { code: "CONFIG_INVALID" });
});

/** A connection that has asked for `target`, with the certificate it saw. */
const asking = async (server: Listener, target: string): Promise<{ socket: TLSSocket; serial: string }> => {
  const socket = connect({ host: "127.0.0.1", port: server.port, ca: [ca.cert, next.ca.cert] });
  socket.on("error", () => {});
  await once(socket, "secureConnect");
  const serial = socket.getPeerCertificate().serialNumber;
  socket.write(`GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n`);
  return { socket, serial };
};

test("new connections see a new certificate while a download by an old one goes on", async () => {
  const size = 64 * 1024 * 1024;
  const gate = Promise.withResolvers<void>();
  const handler: Handler = async (request) =>
    request.target === "/large"
      ? {
          status: 200,
          headers: [],
          url: request.target,
          body: {
            length: size,
            chunks: (async function* () {
              for (let sent = 0; sent < size; sent += 1024 * 1024) {
                if (sent === size / 2) await gate.promise;
                yield new Uint8Array(1024 * 1024);
              }
            })(),
            discard: async () => {},
          },
        }
      : hello(request);
  await served(
    own,
    async (server) => {
      const { socket, serial } = await asking(server, "/large");
      let taken = 0;
      socket.on("data", (bytes) => (taken += bytes.byteLength));
      while (taken === 0) await once(socket, "data");

      // One that cannot be used changes nothing.
      await assert.rejects(server.reload({ cert: "x", key: "y" }), { code: "CONFIG_INVALID" });
      assert.equal((await asking(server, "/x")).serial, serial);

      await server.reload(next.server);
      const fresh = await asking(server, "/x");
      assert.notEqual(fresh.serial, serial);
      await once(fresh.socket, "data");
      fresh.socket.destroy();

      // And once more, with the first download still on its way.
      await server.reload(own);
      assert.equal((await asking(server, "/x")).serial, serial);

      gate.resolve();
      while (taken < size) await once(socket, "data");
      socket.destroy();
    },
    handler,
  );
});

/** What comes back for bytes, until the connection ends. */
const rawly = async (server: Listener, bytes: string): Promise<string> => {
  const socket = plainly({ host: "127.0.0.1", port: server.port });
  socket.on("error", () => {});
  let text = "";
  socket.on("data", (chunk: Buffer) => (text += chunk.toString("latin1")));
  socket.write(bytes);
  await once(socket, "close");
  return text;
};

test("who speaks http to https is told so where the runtime can, and both kinds of failed handshakes are heard of", async () => {
  const heard: FailedHandshake[] = [];
  const server = await listen(hello, { tls: own, onHandshake: (failed) => heard.push(failed) });
  try {
    const answer = await rawly(server, "GET /v2/ HTTP/1.1\r\nHost: a\r\n\r\n");
    await rawly(server, "\u0016\u0003\u0001\u0000\u0005hello");
    // One that works is no failure.
    assert.equal(await status(server, { ca: ca.cert }), 200);
    assert.deepEqual(
      heard.map(({ spokeHttp }) => spokeHttp),
      [tellsReasons, false],
    );
    for (const { peer } of heard) assert.match(peer, /^127\.0\.0\.1:\d+$/);
    if (tellsReasons) assert.match(answer, /^HTTP\/1\.1 400 [^]*\r\n\r\n\{"errors":\[.*https:\/\//);
  } finally {
    await server.close();
  }
});

test("a connection that has not asked yet when the certificate is exchanged is answered all the same", () =>
  served(own, async (server) => {
    for (const [round, tls] of [next.server, own, next.server].entries()) {
      const before = connect({ host: "127.0.0.1", port: server.port, ca: [ca.cert, next.ca.cert] });
      await once(before, "secureConnect");
      const serial = before.getPeerCertificate().serialNumber;
      await server.reload(tls);
      before.write("GET /x HTTP/1.1\r\nHost: a\r\n\r\n");
      const [answer] = await once(before, "data");
      assert.match(String(answer), /200/, `round ${round}`);
      before.destroy();
      assert.notEqual((await asking(server, "/x")).serial, serial);
    }
  }));

test("a stop after the certificate was exchanged waits for what began before it", async () => {
  const { handler, finish } = halved();
  const server = await listen(handler, { tls: own });
  const { socket } = await asking(server, "/x");
  let taken = "";
  socket.on("data", (bytes) => (taken += String(bytes)));
  while (!taken.endsWith("first")) await once(socket, "data");
  await server.reload(next.server);
  let stopped = false;
  const stop = server.stop({ drain: 60_000 }).then(() => (stopped = true));
  await new Promise((later) => setTimeout(later, 150));
  assert.equal(stopped, false);
  finish();
  await once(socket, "close");
  assert.match(taken, /firstafter$/);
  await stop;
});

test("a server that took over asks clients for certificates as the first one does", () =>
  served({ ...own, ca: ca.cert, clientAuth: "require" }, async (server) => {
    for (let round = 0; round < 2; round++) {
      await server.reload({ ...own, ca: ca.cert, clientAuth: "require" });
      assert.equal(await status(server, { ca: ca.cert, ...client }), 200);
      await assert.rejects(status(server, { ca: ca.cert }));
    }
  }));

test("a server that took over ends who is too slow with headers, and closes idle connections, as the first one does", async () => {
  const server = await listen(hello, { tls: own, limits: { headers: 300, keepAlive: 300 } });
  for (const tls of [undefined, next.server, own]) {
    if (tls !== undefined) await server.reload(tls);
    const slow = connect({ host: "127.0.0.1", port: server.port, ca: [ca.cert, next.ca.cert] });
    slow.on("error", () => {});
    await once(slow, "secureConnect");
    slow.write("GET /x HTTP/1.1\r\nHost:");
    const { socket } = await asking(server, "/x");
    await Promise.all([once(slow.resume(), "close"), once(socket.resume(), "close")]);
  }
  await server.close();
});

test("many renewals at once show the last one", () =>
  served(own, async (server) => {
    const { serial } = await asking(server, "/x");
    await Promise.all([server.reload(next.server), server.reload(own), server.reload(next.server)]);
    assert.notEqual((await asking(server, "/x")).serial, serial);
  }));

test("where an address can be shared, the first exchange, too, listens before the former server ends", async () => {
  const former = createServer();
  await startShared(former, { host: "127.0.0.1", port: 0 });
  const { port } = former.address() as AddressInfo;
  const both: boolean[] = [];
  const successor = await takeOver({
    former,
    make: () => createServer().once("listening", () => both.push(former.listening)),
    address: { host: "127.0.0.1", port },
    patience: 0,
    stopped: () => false,
  });
  // Of the trial, and of the one that stays.
  assert.deepEqual(both, [true, process.versions["bun"] !== undefined]);
  assert.deepEqual([former.listening, successor?.listening], [false, true]);
  successor?.close();
});

test("an address that another server with TLS has is refused, although servers share theirs while they are exchanged", () =>
  served(own, async (server) => {
    await assert.rejects(listen(hello, { tls: own, port: server.port }), { code: "EADDRINUSE" });
    await server.reload(next.server);
    await assert.rejects(listen(hello, { tls: own, port: server.port }), { code: "EADDRINUSE" });
  }));

test("an address that somebody took while servers were exchanged is tried until it is free", async () => {
  const blocker = createServer();
  await new Promise<void>((done) => void blocker.listen(0, "127.0.0.1", done));
  const address = { host: "127.0.0.1", port: (blocker.address() as AddressInfo).port };
  const former = createServer();
  await new Promise<void>((done) => void former.listen(0, "127.0.0.1", done));
  let made = 0;
  const successor = await takeOver({
    former,
    make: () => {
      // The first is the trial.
      if (++made === 5) blocker.close();
      return createServer((_, response) => void response.end("here"));
    },
    address,
    patience: 0,
    stopped: () => false,
  });
  assert.ok(made >= 5);
  assert.ok(successor !== undefined);
  assert.equal((successor.address() as AddressInfo).port, address.port);
  assert.equal(former.listening, false);
  successor.close();
});

test("a listener without TLS has nothing to reload", async () => {
  const server = await listen(hello);
  await assert.rejects(server.reload(own), { code: "USAGE" });
  await server.close();
});
