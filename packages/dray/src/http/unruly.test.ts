import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type RawServer, rawServer } from "../../test/raw-server.ts";
import { bytesContent, collect } from "../content/index.ts";
import { isDrayError } from "../errors.ts";
import { type Connection, connection } from "./connection.ts";
import type { HttpRequest } from "./types.ts";

const against = async (
  serve: Parameters<typeof rawServer>[0],
  use: (send: (request?: Partial<HttpRequest>) => Promise<string>, server: RawServer) => Promise<void>,
): Promise<void> => {
  const server = await rawServer(serve);
  const wire: Connection = connection({ proxy: false });
  const send = async (request: Partial<HttpRequest> = {}): Promise<string> => {
    const response = await wire({ method: "GET", origin: server.origin, target: "/v2/", headers: [], ...request });
    return `${response.status} ${Buffer.from(await collect(response.body.chunks, 1000, "it")).toString()}`;
  };
  try {
    await use(send, server);
  } finally {
    await wire.close();
    await server.close();
  }
};

describe("an answer that breaks rules", () => {
  const readable: Readonly<Record<string, string>> = {
    "a length beside chunks":
      "HTTP/1.1 200 OK\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    "another coding beside a length":
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello",
    "bare line feeds": "HTTP/1.1 200 OK\nContent-Length: 5\n\nhello",
    "a bare line feed at the end of the head": "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\nhello",
    "a folded line": "HTTP/1.1 200 OK\r\nX-A: a\r\n b\r\nContent-Length: 5\r\n\r\nhello",
    "a control character": "HTTP/1.1 200 OK\r\nX-A: a\u0001b\r\nContent-Length: 5\r\n\r\nhello",
  };
  for (const [name, answer] of Object.entries(readable))
    test(`is read as others read it: ${name}; each over a connection of its own`, () =>
      against(
        (_, socket) => void socket.end(Buffer.from(answer, "latin1")),
        async (send, server) => {
          for (let nth = 0; nth < 2; nth++) assert.equal(await send(), "200 hello");
          assert.equal(server.connections, 3);
        },
      ));

  test("is never followed by another on its connection", () =>
    against(
      (_, socket) => void socket.write("HTTP/1.1 200 OK\nContent-Length: 5\n\nhello"),
      async (send, server) => {
        for (let nth = 0; nth < 3; nth++) assert.equal(await send(), "200 hello");
        assert.equal(server.connections, 4);
      },
    ));

  test("after its head fails in a way that may be tried again, and then it is read", () =>
    against(
      (_, socket) => void socket.end("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5  \r\nhello\r\n0\r\n\r\n"),
      async (send) => {
        await assert.rejects(send(), (error) => isDrayError(error, "REGISTRY") && error.retryable);
        assert.equal(await send(), "200 hello");
      },
    ));

  test("fails a write in a way that may be tried again, and then it is read", () =>
    against(
      (_, socket) => void socket.end("HTTP/1.1 201 OK\nContent-Length: 5\n\nhello"),
      async (send) => {
        const write = { method: "PUT", body: bytesContent(new Uint8Array(10)) };
        await assert.rejects(send(write), (error) => isDrayError(error, "REGISTRY") && error.retryable);
        assert.equal(await send(write), "201 hello");
      },
    ));

  const unreadable: Readonly<Record<string, readonly [answer: string, message: RegExp]>> = {
    "two lengths": [
      "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
      /breaks the rules of HTTP \(.*Content-Length.*\); whoever runs it/,
    ],
    "a length that is none": ["HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\nhello", /Content-Length/],
    "another protocol": ["SSH-2.0-OpenSSH_9\r\n", /no HTTP; check the port/],
  };
  for (const [name, [answer, message]] of Object.entries(unreadable))
    test(`is named for what it is where nobody could read it: ${name}`, () =>
      against(
        (_, socket) => void socket.end(answer),
        async (send) => {
          await assert.rejects(send(), (error) => {
            assert.ok(isDrayError(error, "REGISTRY"));
            assert.equal(error.retryable, false);
            assert.match(error.message, message);
            return true;
          });
        },
      ));
});

describe("connections", () => {
  const ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

  test("that are closed after each answer, without a word, lose no body", () =>
    against(
      (head, socket, nth) => {
        // Unread bytes make the end of a connection a reset, as with a server that closes with a request on its way.
        if (nth === 1 || head.startsWith("GET")) socket.write(ok);
        else if (connectionsSeen.has(socket)) socket.destroy();
        else socket.write(ok);
        connectionsSeen.add(socket);
      },
      async (send, server) => {
        const body = bytesContent(new Uint8Array(1000));
        assert.equal(await send(), "200 ok");
        assert.equal(await send({ method: "POST", body }), "200 ok");
        const before = server.connections;
        for (let nth = 0; nth < 3; nth++) assert.equal(await send({ method: "PUT", body }), "200 ok");
        assert.equal(server.connections, before + 3);
      },
    ));

  test("whose end the request announces are not used again, whatever the answer says", () =>
    against(
      (_, socket) => void socket.write(ok),
      async (send, server) => {
        for (let nth = 0; nth < 3; nth++)
          await send({
            method: "PATCH",
            headers: [["Connection", "close"]],
            body: bytesContent(new Uint8Array(10)),
          });
        assert.equal(server.connections, 3);
      },
    ));
});

const connectionsSeen = new WeakSet<object>();
