import assert from "node:assert/strict";
import { once } from "node:events";
import http from "node:http";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { test } from "node:test";
import type { TlsOptions } from "node:tls";
import { testCertificates } from "@dray/testkit";
import { rawServer } from "../../test/raw-server.ts";
import { budget } from "./budget.ts";
import { type Connection, type ConnectionOptions, connection } from "./connection.ts";
import { OpenedAhead } from "./opened-ahead.ts";
import type { Handler, HttpRequest, HttpResponse } from "./types.ts";

const { ca, server: pair, client } = testCertificates();
const ok = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

interface Seen {
  readonly get: HttpRequest;
  readonly port: number;
  /** By number: the connection that each request came by. */
  readonly ways: number[];
  /** Connections in the order in which they came. */
  readonly sockets: Socket[];
  /** Comes when so many connections have come. */
  readonly came: (count: number) => Promise<void>;
}

/** A server whose connections are counted before any handshake. `meets`: what becomes of each. */
const withServer = async (
  use: (send: Connection, seen: Seen) => Promise<void>,
  {
    tls,
    options = {},
    meets = () => {},
  }: { tls?: TlsOptions; options?: ConnectionOptions; meets?: (socket: Socket, nth: number) => void } = {},
): Promise<void> => {
  const ways: number[] = [];
  const sockets: Socket[] = [];
  const ports = new Map<number | undefined, number>();
  const behind = await rawServer((_, socket) => {
    ways.push(ports.get(socket.remotePort) ?? -1);
    socket.write(ok);
  }, tls);
  const front = createServer((socket) => {
    const nth = sockets.push(socket);
    front.emit("came");
    socket.on("error", () => {});
    const inner = connect(behind.port, "127.0.0.1", () => {
      ports.set(inner.localPort, nth);
      socket.pipe(inner).pipe(socket);
    });
    inner.on("error", () => socket.destroy());
    socket.on("close", () => inner.destroy());
    meets(socket, nth);
  });
  await once(front.listen(0, "127.0.0.1"), "listening");
  const { port } = front.address() as AddressInfo;
  const send = connection({ proxy: false, ca: ca.cert, systemAuthorities: () => [], ...options });
  const origin = `${tls === undefined ? "http" : "https"}://127.0.0.1:${port}`;
  try {
    await use(send, {
      get: { method: "GET", origin, target: "/v2/", headers: [["Authorization", "Basic c2VjcmV0"]] },
      port,
      ways,
      sockets,
      came: async (count) => {
        while (sockets.length < count) await once(front, "came");
      },
    });
  } finally {
    await send.close();
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => front.close(resolve));
    await behind.close();
  }
};

const status = async (answer: Promise<HttpResponse>): Promise<number> => {
  const response = await answer;
  await response.body.discard();
  return response.status;
};

const many = (send: Handler, get: HttpRequest, count: number): Promise<number[]> =>
  Promise.all(Array.from({ length: count }, () => status(send(get))));

const never = (): void => assert.fail("nothing was refused");

test("requests go over the connections that were opened ahead, with the same certificates, and open none of their own", async () => {
  const ways: readonly (readonly [tls: TlsOptions | undefined, options: ConnectionOptions])[] = [
    [undefined, {}],
    [
      { ...pair, ca: ca.cert, requestCert: true, rejectUnauthorized: true },
      { cert: client.cert, key: client.key },
    ],
  ];
  for (const [tls, options] of ways)
    await withServer(
      async (send, { get, sockets, came, ways }) => {
        assert.equal(await status(send(get)), 200);
        send.openAhead(get.origin, 4, never);
        await came(4);
        // Those that there are count, too.
        send.openAhead(get.origin, 4, never);
        assert.deepEqual(await many(send, get, 4), [200, 200, 200, 200]);
        assert.equal(sockets.length, 4);
        assert.deepEqual(
          [...new Set(ways.slice(1))].sort((a, b) => a - b),
          [1, 2, 3, 4],
        );
      },
      { ...(tls && { tls }), options: { registry: "127.0.0.1", ...options } },
    );
});

test("nothing is opened ahead for who has not answered yet, or once all is closed", () =>
  withServer(async (send, { get, sockets }) => {
    send.openAhead(get.origin, 4, never);
    assert.equal(await status(send(get)), 200);
    assert.equal(sockets.length, 1);
    await send.close();
    send.openAhead(get.origin, 4, never);
    assert.equal(sockets.length, 1);
  }));

test("connections that nobody wanted are closed with the others", () =>
  withServer(async (send, { get, sockets, came }) => {
    await status(send(get));
    send.openAhead(get.origin, 3, never);
    await came(3);
    const closed = Promise.all(sockets.map((socket) => once(socket.resume(), "close")));
    await send.close();
    await closed;
  }));

const silent = "Bun" in globalThis && "Bun does not tell what keeps it alive";

test("one that waits for a request keeps no process alive", { skip: silent }, async () => {
  const server = await rawServer((_, socket) => socket.write(ok));
  const send = connection({ proxy: false });
  const alive = (): number => process.getActiveResourcesInfo().filter((what) => what === "TCPSocketWrap").length;
  try {
    const get: HttpRequest = { method: "GET", origin: server.origin, target: "/v2/", headers: [] };
    assert.equal(await status(send(get)), 200);
    // The first connection is free then, and keeps nothing alive either.
    await new Promise((resolve) => setImmediate(resolve));
    const before = alive();
    send.openAhead(server.origin, 4, never);
    while (server.connections < 4) await new Promise((resolve) => setImmediate(resolve));
    // The ends of the server, which lies in this process.
    assert.equal(alive() - before, 3);
  } finally {
    await send.close();
    await server.close();
  }
});

test("one that is refused fails no request, and from then on none is opened ahead", async () => {
  for (const tls of [undefined, pair])
    await withServer(
      async (connected, { get, sockets }) => {
        const totals: number[] = [];
        const refusedAt: number[] = [];
        const send = budget({}, (origin, total, refused) => {
          totals.push(total);
          connected.openAhead(origin, total, () => {
            refusedAt.push(totals.length);
            refused();
          });
        })(connected);
        assert.equal(await status(send(get)), 200);
        assert.deepEqual(await many(send, get, 30), Array(30).fill(200));
        assert.equal(refusedAt.length, 1, "told of once");
        assert.equal(totals.length, refusedAt[0], "none after that");
        assert.ok(sockets.length > 9);
      },
      // What requests open by themselves is let in: eight at first.
      { ...(tls && { tls }), meets: (socket, nth) => nth >= 10 && nth <= 12 && socket.resetAndDestroy() },
    );
});

test("what a server says unasked is no answer", () =>
  withServer(async (send, { get, sockets, came }) => {
    await status(send(get));
    const told = new Promise<void>((resolve) => send.openAhead(get.origin, 4, resolve));
    await came(4);
    const ahead = sockets.slice(1);
    const closed = ahead.map((socket) => once(socket, "close"));
    for (const socket of ahead) socket.write("HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n");
    await Promise.all(closed);
    await told;
    assert.deepEqual(await many(send, get, 4), [200, 200, 200, 200]);
    assert.equal(sockets.length, 7);
  }));

test("a request that goes out as its connection is closed opens its own", () =>
  withServer(async (send, { get, sockets, came }) => {
    await status(send(get));
    send.openAhead(get.origin, 4, () => {});
    await came(4);
    for (const socket of sockets.slice(1)) socket.destroy();
    assert.deepEqual(await many(send, { ...get, method: "POST" }, 4), [200, 200, 200, 200]);
  }));

test("through a proxy as every other connection, and never past it", () =>
  withServer(
    async (direct, { get, port, sockets }) => {
      assert.equal(await status(direct(get)), 200);
      const tunnels: string[] = [];
      const proxy = await rawServer((head, socket) => {
        tunnels.push(head.split(" ", 2).join(" "));
        const inner = connect(port, "127.0.0.1", () => {
          socket.removeAllListeners("data");
          socket.write("HTTP/1.1 200 Connection established\r\n\r\n");
          socket.pipe(inner).pipe(socket);
        });
        inner.on("error", () => socket.destroy());
        socket.on("close", () => inner.destroy());
      });
      const send = connection({ proxy: proxy.origin, ca: ca.cert, systemAuthorities: () => [] });
      try {
        const before = sockets.length;
        await status(send(get));
        send.openAhead(get.origin, 3, never);
        assert.deepEqual(await many(send, get, 3), [200, 200, 200]);
        assert.deepEqual(tunnels, Array(3).fill(`CONNECT 127.0.0.1:${port}`));
        assert.equal(sockets.length - before, 3);
      } finally {
        await send.close();
        await proxy.close();
      }
    },
    { tls: pair },
  ));

/** Three requests, where the second connection is closed with the first request that comes by it, and another waits for the third meanwhile. */
const besideClosed = async (becomes: (third: Socket, open: () => void) => void): Promise<readonly unknown[]> => {
  const sockets = new Set<Socket>();
  const server = await rawServer((_, socket) => {
    sockets.add(socket);
    if ([...sockets].indexOf(socket) === 1) socket.destroy();
    else socket.write(ok);
  }, pair);
  const [second, third] = [Promise.withResolvers<void>(), Promise.withResolvers<() => void>()];
  let tunnels = 0;
  const proxy = await rawServer((_, socket) => {
    const open = (): void => {
      const inner = connect(server.port, "127.0.0.1", () => {
        socket.removeAllListeners("data");
        socket.write("HTTP/1.1 200 Connection established\r\n\r\n");
        socket.pipe(inner).pipe(socket);
      });
      inner.on("error", () => socket.destroy());
      socket.on("close", () => inner.destroy());
    };
    const nth = ++tunnels;
    if (nth === 3) return third.resolve(() => becomes(socket, open));
    open();
    if (nth === 2) second.resolve();
  });
  const send = connection({ proxy: proxy.origin, ca: ca.cert, systemAuthorities: () => [] });
  try {
    const get: HttpRequest = { method: "GET", origin: server.origin, target: "/v2/", headers: [] };
    await status(send(get));
    const refused = Promise.withResolvers<void>();
    send.openAhead(get.origin, 3, () => refused.resolve());
    await second.promise;
    const end = await third.promise;
    const answers = Promise.allSettled([1, 2, 3].map(() => status(send({ ...get, method: "POST" }))));
    await refused.promise;
    end();
    return (await answers).map((answer) => (answer.status === "rejected" ? answer.reason : answer.value));
  } finally {
    await send.close();
    await proxy.close();
    await server.close();
  }
};

test("one that a request found closed takes none with it that another request waits for", async () => {
  assert.deepEqual(await besideClosed((_, open) => open()), [200, 200, 200]);
});

test("a request that waits for one that fails opens its own: nothing of it has been sent", async () => {
  assert.deepEqual(await besideClosed((third) => third.destroy()), [200, 200, 200]);
});

test("one that a server closes because no request came is no refusal: others are opened when they are wanted", async () => {
  const server = await rawServer((_, socket) => socket.write(ok));
  let unasked: Socket[] = [];
  const front = createServer((socket) => {
    unasked.push(socket);
    const inner = connect(server.port, "127.0.0.1", () => socket.pipe(inner).pipe(socket));
    socket.on("error", () => {});
    inner.on("error", () => socket.destroy());
    socket.on("close", () => inner.destroy());
  });
  await once(front.listen(0, "127.0.0.1"), "listening");
  const { port } = front.address() as AddressInfo;
  const agent = new http.Agent({ keepAlive: true });
  let looked = 0;
  // Between any two looks at it lies an age.
  const ahead = new OpenedAhead(agent, () => ++looked * 60_000);
  const open = async (): Promise<void> => {
    for (unasked = []; unasked.length < 2; await new Promise((resolve) => setImmediate(resolve)))
      ahead.open("127.0.0.1", port, 3, never);
  };
  try {
    const [answer] = await once(http.get({ host: "127.0.0.1", port, agent }), "response");
    await once(answer.resume(), "end");
    for (let i = 0; i < 3; i++) {
      await open();
      for (const socket of unasked) socket.end("HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n");
    }
  } finally {
    ahead.close();
    agent.destroy();
    await server.close();
    front.close();
  }
});
