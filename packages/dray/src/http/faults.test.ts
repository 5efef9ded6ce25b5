import assert from "node:assert/strict";
import { test } from "node:test";
import { rawServer } from "../../test/raw-server.ts";
import { bytesContent, collect } from "../content/index.ts";
import { type DrayError, type ErrorCode, isDrayError } from "../errors.ts";
import { type Connection, type ConnectionOptions, connection } from "./connection.ts";
import type { HttpRequest } from "./types.ts";

const head = (length: number): string => `HTTP/1.1 200 OK\r\nContent-Length: ${length}\r\n\r\n`;

const withServer = async (
  serve: Parameters<typeof rawServer>[0],
  use: (send: Connection, get: HttpRequest, server: Awaited<ReturnType<typeof rawServer>>) => Promise<void>,
  options: ConnectionOptions = {},
): Promise<void> => {
  const server = await rawServer(serve);
  const send = connection({ proxy: false, ...options });
  try {
    await use(send, { method: "GET", origin: server.origin, target: "/", headers: [] }, server);
  } finally {
    await send.close();
    await server.close();
  }
};

/** The error that a request or the reading of its answer ends with. */
const failure = async (send: Connection, request: HttpRequest): Promise<DrayError> => {
  try {
    const { body } = await send(request);
    await collect(body.chunks, 1 << 30, "answer");
  } catch (error) {
    if (isDrayError(error)) return error;
    throw error;
  }
  throw new Error("the request was expected to fail");
};

const expectFault = (error: DrayError, code: ErrorCode, retryable: boolean, words: RegExp, name?: string): void => {
  assert.equal(error.code, code, `${name}: ${error.message}`);
  assert.match(error.message, words, name);
  assert.equal(error.retryable, retryable, name);
  assert.ok(error.registry, name);
};

test("an answer that is cut off is never taken for the whole", async () => {
  const table: readonly [string, text: string, end: "fin" | "reset", words: RegExp][] = [
    ["too few bytes", `${head(10)}abcde`, "fin", /after 5 of 10 bytes/],
    ["no byte at all", head(10), "fin", /after 0 of 10 bytes/],
    ["reset", `${head(10)}abcde`, "reset", /after [05] of 10 bytes/],
    [
      "chunk cut",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
      "fin",
      /cut the answer off after 2 bytes/,
    ],
    [
      "no last chunk",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n",
      "fin",
      /cut the answer off after 2 bytes/,
    ],
    ["headers cut", "HTTP/1.1 200 OK\r\nContent-Le", "fin", /was cut/],
    ["nothing", "", "fin", /was cut/],
    ["nothing, reset", "", "reset", /was cut/],
  ];
  for (const [name, text, end, words] of table)
    await withServer(
      (_, socket) => {
        const finish = () => (end === "fin" ? socket.end() : socket.resetAndDestroy());
        if (text === "") finish();
        else socket.write(text, () => setTimeout(finish, 5));
      },
      async (send, get) => expectFault(await failure(send, get), "NETWORK", true, words, name),
    );
});

test("a chunk that is none ends the answer, and is named", () =>
  withServer(
    (_, socket) => socket.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\nxyz\r\n"),
    async (send, get) => {
      expectFault(await failure(send, get), "REGISTRY", true, /breaks the rules of HTTP \(.*chunk size/);
      expectFault(await failure(send, get), "REGISTRY", false, /breaks the rules of HTTP \(.*chunk size/);
    },
  ));

test("every wait has an end, and says which it was", async () => {
  const put: Partial<HttpRequest> = { method: "PUT", body: bytesContent(new Uint8Array(64 << 20)) };
  const table: readonly [
    string,
    Parameters<typeof rawServer>[0],
    Partial<HttpRequest>,
    ConnectionOptions["timeouts"],
    RegExp,
  ][] = [
    ["headers", () => {}, {}, { headers: 30 }, /did not answer within 0\.03 s \(headers time-out\)/],
    [
      "commit",
      () => {},
      { context: { timeoutClass: "commit" } },
      { commit: 30, headers: 1 },
      /did not finish the upload .*\(commit time-out\)/,
    ],
    [
      "half of a body",
      (_, socket) => socket.write(`${head(10)}abc`),
      {},
      { idle: 30 },
      /moved no bytes .*\(idle time-out\)/,
    ],
    [
      "an upload nobody takes",
      (_, socket) => {
        socket.pause();
        socket.write("HTTP/1.1 100 Continue\r\n\r\n");
      },
      put,
      { idle: 60 },
      /moved no bytes .*\(idle time-out\)/,
    ],
  ];
  for (const [name, serve, request, timeouts, words] of table)
    await withServer(
      serve,
      async (send, get) => expectFault(await failure(send, { ...get, ...request }), "TIMEOUT", true, words, name),
      { timeouts: timeouts ?? {} },
    );

  const send = connection({ proxy: false, timeouts: { connect: 30 }, resolve: () => new Promise(() => {}) });
  const request: HttpRequest = { method: "GET", origin: "http://r.example", target: "/", headers: [] };
  expectFault(
    await failure(send, request),
    "TIMEOUT",
    true,
    /cannot connect to r\.example within 0\.03 s \(connect time-out\)/,
  );
  await send.close();
});

test("waits that are not over do no harm: a commit may take longer than headers, a reader longer than idle", async () => {
  await withServer(
    (_, socket) => setTimeout(() => socket.write(head(0)), 60),
    async (send, get) => assert.equal((await send({ ...get, context: { timeoutClass: "commit" } })).status, 200),
    { timeouts: { headers: 30 } },
  );
  await withServer(
    (_, socket) => socket.write(`${head(6)}abcdef`),
    async (send, get) => {
      const { body } = await send(get);
      await new Promise((resolve) => setTimeout(resolve, 60));
      assert.equal(Buffer.from(await collect(body.chunks, 10, "answer")).toString(), "abcdef");
    },
    { timeouts: { idle: 30 } },
  );
});

test("a host that is not there is a fault of its own kind", async () => {
  const lookup = (code: string) => Promise.reject(Object.assign(new Error(`getaddrinfo ${code} r.example`), { code }));
  const request: HttpRequest = { method: "GET", origin: "http://r.example:5000", target: "/", headers: [] };
  const table: readonly [string, boolean, RegExp][] = [
    ["ENOTFOUND", false, /cannot reach r\.example:5000: no such host; check the name/],
    ["EAI_AGAIN", true, /could not be looked up/],
  ];
  for (const [code, retryable, words] of table) {
    const send = connection({ proxy: false, resolve: () => lookup(code) });
    expectFault(await failure(send, request), "NETWORK", retryable, words, code);
    await send.close();
  }
});

test("a refused connection may pass if the registry answered before: it restarts", () =>
  withServer(
    (_, socket) => socket.end(`${head(0).replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n")}`),
    async (send, get, server) => {
      await (await send(get)).body.discard();
      await server.close();
      expectFault(await failure(send, get), "NETWORK", true, /connection refused; check the port/);
      const stranger = connection({ proxy: false });
      expectFault(await failure(stranger, get), "NETWORK", false, /connection refused/);
      await stranger.close();
    },
  ));

test("a kept connection that the server closed meanwhile is replaced, but for a deletion", () =>
  withServer(
    (_, socket, nth) => {
      // Each connection answers once; the request after that finds it closed.
      if (nth % 2 === 1) socket.write(head(0));
      else socket.destroy();
    },
    async (send, get, server) => {
      for (const method of ["GET", "GET", "HEAD"]) await (await send({ ...get, method })).body.discard();
      assert.equal(server.connections, 3);
      expectFault(await failure(send, { ...get, method: "DELETE" }), "NETWORK", true, /was cut/);
    },
  ));

test("headers have a limit, and what is no HTTP is named", async () => {
  const big = (size: number) => `HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX-Big: ${"x".repeat(size)}\r\n\r\n`;
  await withServer(
    (_, socket) => socket.write(big(40_000)),
    async (send, get) => assert.equal((await send(get)).status, 200),
  );
  const table: readonly [string, string, ErrorCode, RegExp][] = [
    ["headers over the limit", big(70_000), "LIMIT_EXCEEDED", /more than 64 KiB of headers/],
    ["another protocol", "220 ready\r\n", "REGISTRY", /no HTTP/],
  ];
  for (const [name, answer, code, words] of table)
    await withServer(
      (_, socket) => socket.write(answer),
      async (send, get) => expectFault(await failure(send, get), code, false, words, name),
    );
});
