import assert from "node:assert/strict";
import { test } from "node:test";
import { rawClient, statuses } from "@dray/testkit";
import { collect } from "dray/content";
import type { Handler } from "dray/http";
import { bare, memoryBody, withBytes } from "../response/index.ts";
import { type LetGo, type Listener, type ListenOptions, listen } from "./index.ts";

const served = async (
  handler: Handler,
  options: ListenOptions,
  use: (server: Listener) => Promise<void>,
): Promise<void> => {
  const server = await listen(handler, options);
  try {
    await use(server);
  } finally {
    await server.close();
  }
};

const hello: Handler = async (request) => withBytes(request, 200, [], new TextEncoder().encode("hello"));
const get = "GET /x HTTP/1.1\r\nHost: a\r\n\r\n";

test("headers that come too slowly end the connection", () =>
  served(hello, { limits: { headers: 200 } }, async (server) => {
    const slow = await rawClient(server.port);
    const drip = setInterval(() => slow.send("X"), 20);
    slow.send("GET /x HTTP/1.1\r\nHost: a\r\nX: ");
    const { text } = await slow.ended();
    clearInterval(drip);
    assert.ok(
      statuses(text).every((status) => status === 408),
      text,
    );
    // So does a connection that says nothing at all.
    await (await rawClient(server.port)).ended();
  }));

test("a connection is not kept for ever for a next request", () =>
  served(hello, { limits: { keepAlive: 100 } }, async (server) => {
    const client = await rawClient(server.port);
    client.send(get);
    const { text } = await client.ended();
    assert.deepEqual(statuses(text), [200]);
  }));

test("a body that stops coming ends the connection, one that comes slowly does not", async () => {
  const outcomes: string[] = [];
  const handler: Handler = async (request) => {
    const { body } = request;
    assert.ok(body !== undefined && "chunks" in body);
    outcomes.push(
      await collect(body.chunks, 1000, "").then(
        (bytes) => `${bytes.byteLength}`,
        (error: { code?: string }) => String(error.code),
      ),
    );
    return bare(request, 200);
  };
  await served(handler, { limits: { idle: 1000 } }, async (server) => {
    const head = "PUT /x HTTP/1.1\r\nHost: a\r\nContent-Length: 20\r\n\r\n";
    const slow = await rawClient(server.port);
    slow.send(head);
    for (let i = 0; i < 20; i++) {
      await new Promise((resolve) => setTimeout(resolve, 100));
      slow.send("x");
    }
    await slow.until(/HTTP\/1\.1 200/);
    slow.socket.destroy();
    const silent = await rawClient(server.port);
    silent.send(`${head}123`);
    await silent.ended();
    while (outcomes.length < 2) await new Promise((resolve) => setImmediate(resolve));
  });
  assert.deepEqual(outcomes, ["20", "NETWORK"]);
});

test("a handler may think for longer than a body may be silent", () =>
  served(
    async (request) => {
      await new Promise((resolve) => setTimeout(resolve, 600));
      return hello(request);
    },
    { limits: { idle: 100 } },
    async (server) => {
      const client = await rawClient(server.port);
      client.send(get);
      await client.until(/hello/);
      client.socket.destroy();
    },
  ));

for (const [name, body] of [
  ["in memory", memoryBody(new Uint8Array(32 * 1024 * 1024))],
  ["in blocks", { length: 2 ** 40, chunks: endless(), discard: async () => {} }],
  [
    "poured",
    {
      length: 2 ** 40,
      chunks: endless(),
      pour: async (write: (chunk: Uint8Array) => Promise<void>) => {
        for (;;) await write(new Uint8Array(256 * 1024));
      },
      discard: async () => {},
    },
  ],
] as const)
  test(`a client that takes nothing of a body ${name} loses its connection, and blocks nobody`, () => {
    const lost = Promise.withResolvers<LetGo>();
    return served(
      async (request) => (request.target === "/large" ? { status: 200, headers: [], url: "", body } : hello(request)),
      { limits: { idle: 200 }, onLetGo: lost.resolve },
      async (server) => {
        const stuck = await rawClient(server.port);
        stuck.socket.pause();
        stuck.send("GET /large HTTP/1.1\r\nHost: a\r\n\r\n");
        const other = await rawClient(server.port);
        other.send(get);
        await other.until(/hello/);
        other.socket.destroy();
        assert.equal((await lost.promise).why, "limit");
        // It takes what the system held for it, and finds the end of the connection after that.
        let taken = 0;
        stuck.socket.on("data", (bytes) => (taken += bytes.byteLength));
        stuck.socket.resume();
        await stuck.ended();
        assert.ok(taken < 32 * 1024 * 1024, `${taken} bytes`);
      },
    );
  });

test("a client that stands still is let go for room and told of, one that moves stays", async () => {
  const told: LetGo[] = [];
  const slowly = async function* (): AsyncGenerator<Uint8Array> {
    for (;;) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      yield new Uint8Array(1);
    }
  };
  const handler: Handler = async ({ target }) => {
    const chunks = target === "/stuck" ? endless() : slowly();
    return { status: 200, headers: [], url: target, body: { length: 2 ** 40, chunks, discard: async () => {} } };
  };
  await served(handler, { limits: { idle: 60_000 }, onLetGo: (gone) => told.push(gone) }, async (server) => {
    const moving = await rawClient(server.port);
    moving.send("GET /moving HTTP/1.1\r\nHost: a\r\n\r\n");
    const stuck = await rawClient(server.port);
    stuck.socket.pause();
    stuck.send("GET /stuck HTTP/1.1\r\nHost: a\r\n\r\n");
    // Longer than one beat: it may come between a write of the other one and its end.
    while (server.letGo({ count: 10, silence: 1000 }) === 0) await new Promise((resolve) => setTimeout(resolve, 50));
    stuck.socket.resume();
    await stuck.ended();
    const { length } = moving.text;
    while (moving.text.length === length) await new Promise((resolve) => setTimeout(resolve, 20));
    moving.socket.destroy();
  });
  assert.deepEqual(
    told.map(({ count, request, why }) => [count, request?.target, why]),
    [[1, "/stuck", "room"]],
  );
});

test("for room connections that ask for nothing go before one that is silent in a body, and each is told of with its peer", async () => {
  const told: LetGo[] = [];
  const handler: Handler = async ({ target }) =>
    target === "/stuck"
      ? { status: 200, headers: [], url: target, body: { length: 2 ** 40, chunks: endless(), discard: async () => {} } }
      : { status: 200, headers: [], url: target, body: memoryBody(new Uint8Array(2)) };
  await served(handler, { limits: { idle: 400_000 }, onLetGo: (gone) => told.push(gone) }, async (server) => {
    const stuck = await rawClient(server.port);
    stuck.socket.pause();
    stuck.send("GET /stuck HTTP/1.1\r\nHost: a\r\n\r\n");
    const resting = await Promise.all(Array.from({ length: 3 }, () => rawClient(server.port)));
    for (const one of resting) one.send("GET /ok HTTP/1.1\r\nHost: a\r\n\r\n");
    for (let gone = 0; gone < 3; ) {
      gone += server.letGo({ count: 3 - gone });
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    for (const one of resting) await one.ended();
    while (server.letGo({ count: 10, silence: 0 }) === 0) await new Promise((resolve) => setTimeout(resolve, 50));
    stuck.socket.resume();
    await stuck.ended();
  });
  assert.ok(told.every(({ peer }) => /^127\.0\.0\.1:\d+$/.test(peer ?? "")));
  assert.deepEqual([...new Set(told.map(({ why }) => why))], ["rest", "room"]);
  assert.equal(told.at(-1)?.request?.target, "/stuck");
});

async function* endless(): AsyncGenerator<Uint8Array> {
  for (;;) yield new Uint8Array(256 * 1024);
}

test("a source that is slower than the idle time-out is not the client's fault", () =>
  served(
    async (request) => ({
      status: 200,
      headers: [],
      url: request.target,
      body: {
        length: 2,
        chunks: (async function* () {
          yield new Uint8Array(1);
          await new Promise((resolve) => setTimeout(resolve, 600));
          yield new Uint8Array(1);
        })(),
        discard: async () => {},
      },
    }),
    { limits: { idle: 100 } },
    async (server) => {
      const client = await rawClient(server.port);
      client.send(get);
      await client.until(/\0\0$/);
      client.socket.destroy();
    },
  ));

test("connections beyond the limit are closed, and others take their place", () =>
  served(hello, { limits: { connections: 2 } }, async (server) => {
    const [one, two] = [await rawClient(server.port), await rawClient(server.port)];
    for (const client of [one, two]) {
      client.send(get);
      await client.until(/hello/);
    }
    const three = await rawClient(server.port);
    three.send(get);
    assert.equal((await three.ended()).text, "");
    one.socket.destroy();
    for (;;) {
      const next = await rawClient(server.port);
      next.send(get);
      const text = await next.until(/hello/).catch(() => "");
      next.socket.destroy();
      if (text !== "") break;
    }
    two.socket.destroy();
  }));

test("many requests at once on a connection whose answers nobody reads stay bounded", async () => {
  let begun = 0;
  const answer = new Uint8Array(64 * 1024);
  await served(
    async (request) => {
      begun++;
      return withBytes(request, 200, [], answer);
    },
    {},
    async (server) => {
      const client = await rawClient(server.port);
      client.socket.pause();
      for (let i = 0; i < 100; i++) client.send(get.repeat(100));
      // Others are served meanwhile, and time passes.
      for (let i = 0; i < 20; i++) {
        const other = await rawClient(server.port);
        other.send(get);
        await other.until(/HTTP\/1\.1 200/);
        other.socket.destroy();
      }
      assert.ok(begun < 5000, `${begun} of 10000 were begun`);
      client.socket.destroy();
    },
  );
});
