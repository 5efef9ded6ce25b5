import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { createServer } from "node:http";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryFolder } from "@dray/testkit/files";
import { type RawServer, rawServer } from "../../test/raw-server.ts";
import { bytesContent, collect } from "../content/index.ts";
import { isDrayError } from "../errors.ts";
import { type Connection, type ConnectionOptions, connection } from "./connection.ts";
import { type HttpRequest, header, headerValues } from "./types.ts";

const ok = (body = "ok", more = ""): string =>
  `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n${more}\r\n${body}`;

const withServer = async (
  serve: Parameters<typeof rawServer>[0],
  use: (send: Connection, server: RawServer, get: HttpRequest) => Promise<void>,
  options: ConnectionOptions = {},
): Promise<void> => {
  const server = await rawServer(serve);
  const send = connection({ proxy: false, ...options });
  try {
    await use(send, server, { method: "GET", origin: server.origin, target: "/v2/?n=1", headers: [] });
  } finally {
    await send.close();
    await server.close();
  }
};

const text = async (chunks: AsyncIterable<Uint8Array>): Promise<string> =>
  Buffer.from(await collect(chunks, 1 << 30, "answer")).toString();

test("a request and its answer come through as they are", () => {
  const heads: string[] = [];
  return withServer(
    (head, socket) => {
      heads.push(head);
      socket.write(ok("zipped?", "X-Two: 1\r\nx-two: 2\r\nContent-Encoding: gzip\r\n"));
    },
    async (send, server, get) => {
      const headers: HttpRequest["headers"] = [
        ["Accept", "a/b"],
        ["Accept", "c/d"],
        ["X-Case", "Kept"],
      ];
      const response = await send({ ...get, target: "/v2/%2e/a%2Fb?x=%20'", headers });
      assert.equal(response.status, 200);
      assert.equal(response.url, `${server.origin}/v2/%2e/a%2Fb?x=%20'`);
      assert.deepEqual(headerValues(response.headers, "x-two"), ["1", "2"]);
      assert.equal(response.body.length, 7);
      // Nothing is decoded: a digest is of the bytes as they are.
      assert.equal(await text(response.body.chunks), "zipped?");
      const [head = ""] = heads;
      assert.match(head, /^GET \/v2\/%2e\/a%2Fb\?x=%20' HTTP\/1\.1\r\n/);
      assert.match(head, new RegExp(`\r\nHost: 127\\.0\\.0\\.1:${server.port}(\r\n|$)`, "i"));
      assert.match(head, /\r\nX-Case: Kept/i);
      assert.deepEqual([...head.matchAll(/\r\nAccept: (.*)/gi)].map(([, value]) => value).join(", "), "a/b, c/d");
      assert.doesNotMatch(head, /accept-encoding|content-length|transfer-encoding|user-agent/i);
    },
  );
});

test("a connection is kept and used again", () =>
  withServer(
    (_, socket) => socket.write(ok()),
    async (send, server, get) => {
      for (let nth = 0; nth < 3; nth++) assert.equal(await text((await send(get)).body.chunks), "ok");
      assert.equal(server.connections, 1);
      await Promise.all([send(get), send(get)].map(async (answer) => (await answer).body.discard()));
      assert.equal(server.connections, 2);
    },
  ));

for (const [method, sent] of [
  ["PUT", 2],
  ["PATCH", 1],
] as const)
  test(`a ${method} of a few bytes over a connection that was used and is cut goes out ${sent === 2 ? "once more" : "once: a part of it may be kept"}`, () => {
    const methods: string[] = [];
    return withServer(
      (head, socket) => {
        methods.push(head.slice(0, head.indexOf(" ")));
        if (methods.length === 2) setTimeout(() => socket.destroy(), 10);
        else socket.write(ok());
      },
      async (send, _, get) => {
        const body = bytesContent(new Uint8Array(1000));
        await (await send(get)).body.discard();
        const outcome = send({ ...get, method, body }).then(async (answer) => text(answer.body.chunks));
        const told = await outcome.catch((error: unknown) => (isDrayError(error, "NETWORK") ? "cut" : error));
        assert.equal(told, sent === 2 ? "ok" : "cut");
        assert.equal(methods.filter((one) => one === method).length, sent);
      },
    );
  });

test("an answer without a body has an empty one", () => {
  const answers = [
    "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n",
    "HTTP/1.1 204 No\r\n\r\n",
    "HTTP/1.1 304 No\r\nContent-Length: 5\r\n\r\n",
  ];
  return withServer(
    (_, socket, nth) => socket.write(answers[nth - 1] ?? ok("")),
    async (send, server, get) => {
      for (const method of ["HEAD", "GET", "GET", "GET"]) {
        const response = await send({ ...get, method });
        assert.equal(response.body.length, 0);
        assert.equal(await text(response.body.chunks), "");
        if (method === "HEAD") assert.equal(header(response.headers, "content-length"), "1000");
      }
      assert.equal(server.connections, 1);
    },
  );
});

test("interim answers are passed over, chunks are joined, an answer without length ends with its connection", () => {
  const answers = [
    `HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n${ok("after")}`,
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
    "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nto the end",
  ];
  return withServer(
    (_, socket, nth) => {
      const answer = answers[nth - 1] ?? "";
      if (nth === 3) socket.end(answer);
      else socket.write(answer);
    },
    async (send, _, get) => {
      const seen: [string, number | undefined][] = [];
      for (let nth = 0; nth < 3; nth++) {
        const { body } = await send(get);
        seen.push([await text(body.chunks), body.length]);
      }
      assert.deepEqual(seen, [
        ["after", 5],
        ["abcde", undefined],
        ["to the end", undefined],
      ]);
    },
  );
});

test("what is not read is let go of: a small rest keeps the connection, a large one ends it", () =>
  withServer(
    (head, socket) => socket.write(ok("x".repeat(head.startsWith("GET /large") ? 1 << 20 : 1_000))),
    async (send, server, get) => {
      const small = await send(get);
      await small.body.discard();
      await small.body.discard();
      await (await send(get)).body.discard();
      assert.equal(server.connections, 1);

      const large = await send({ ...get, target: "/large" });
      for await (const chunk of large.body.chunks) {
        assert.ok(chunk.byteLength > 0);
        break;
      }
      await (await send(get)).body.discard();
      assert.equal(server.connections, 2);
    },
  ));

test("a slow reader holds the sender back", async () => {
  const size = 1 << 26;
  const block = Buffer.alloc(1 << 20, 1);
  let written = 0;
  const server = createServer((_, response) => {
    response.writeHead(200, { "Content-Length": size });
    const more = (): void => {
      while (written < size) {
        written += block.length;
        if (!response.write(block)) return void response.once("drain", more);
      }
      response.end();
    };
    more();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const send = connection({ proxy: false });
  try {
    const { port } = server.address() as { port: number };
    const { body } = await send({ method: "GET", origin: `http://127.0.0.1:${port}`, target: "/", headers: [] });
    let read = 0;
    for await (const chunk of body.chunks) {
      if (read === 0) {
        // As long as the sender moves, it is not held back; the buffers of the system are a few MiB.
        for (let before = -1; before < written; await new Promise((resolve) => setTimeout(resolve, 20)))
          before = written;
        assert.ok(written < size / 2, `${written} bytes were sent to somebody who read one chunk`);
      }
      read += chunk.byteLength;
    }
    assert.equal(read, size);
  } finally {
    await send.close();
    await new Promise((resolve) => server.close(resolve));
  }
});

test("a signal ends a request wherever it is, and keeps no listener", () =>
  withServer(
    (head, socket) => {
      if (head.startsWith("GET /body")) socket.write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc");
      else if (head.startsWith("GET /ok")) socket.write(ok());
    },
    async (send, _, get) => {
      const isAborted = (error: unknown) => isDrayError(error, "ABORTED");
      const listeners = (signal: AbortSignal) => getEventListeners(signal, "abort").length;

      await assert.rejects(send({ ...get, signal: AbortSignal.abort() }), isAborted);

      const waiting = new AbortController();
      const silent = send({ ...get, target: "/silent", signal: waiting.signal });
      setImmediate(() => waiting.abort());
      await assert.rejects(silent, isAborted);
      assert.equal(listeners(waiting.signal), 0);

      const reading = new AbortController();
      const { body } = await send({ ...get, target: "/body", signal: reading.signal });
      const chunks = body.chunks[Symbol.asyncIterator]();
      assert.equal((await chunks.next()).done, false);
      const rest = chunks.next();
      reading.abort();
      await assert.rejects(rest, isAborted);
      assert.equal(listeners(reading.signal), 0);

      const unused = new AbortController();
      await text((await send({ ...get, target: "/ok", signal: unused.signal })).body.chunks);
      assert.equal(listeners(unused.signal), 0);
    },
  ));

test("closing ends what is under way, and nothing goes out afterwards", () =>
  withServer(
    () => {},
    async (send, server, get) => {
      const waiting = send(get);
      while (server.connections === 0) await new Promise((resolve) => setTimeout(resolve, 1));
      await send.close();
      await assert.rejects(waiting, (error) => isDrayError(error, "ABORTED"));
      await assert.rejects(send(get), (error) => isDrayError(error, "ABORTED"));
    },
  ));

test("a unix socket is an origin", async () => {
  const dir = temporaryFolder("socket");
  const server = createServer((request, response) => response.end(`${request.headers.host} ${request.url}`));
  await new Promise<void>((resolve) => server.listen(join(dir, "s"), resolve));
  const send = connection();
  try {
    const get: HttpRequest = { method: "GET", origin: `unix:${join(dir, "s")}`, target: "/v1/info", headers: [] };
    assert.equal(await text((await send(get)).body.chunks), "localhost /v1/info");
    await assert.rejects(
      send({ ...get, origin: `unix:${join(dir, "missing")}` }),
      (error) => isDrayError(error, "NETWORK") && error.message.includes("no such socket") && !error.retryable,
    );
  } finally {
    await send.close();
    await new Promise((resolve) => server.close(resolve));
  }
});

test("what is no origin is refused", async () => {
  const send = connection();
  for (const origin of [
    "registry.example",
    "ftp://registry.example",
    "https://registry.example/path",
    "https://us:pw@registry.example",
  ])
    await assert.rejects(
      send({ method: "GET", origin, target: "/", headers: [] }),
      (error) => isDrayError(error, "USAGE"),
      origin,
    );
  await send.close();
});
