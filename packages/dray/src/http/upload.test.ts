import assert from "node:assert/strict";
import { createServer, type IncomingMessage, request as nodeRequest, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { rawServer } from "../../test/raw-server.ts";
import { type Body, bytesContent, type Content } from "../content/index.ts";
import { DrayError, isDrayError } from "../errors.ts";
import { type Connection, type ConnectionOptions, connection } from "./connection.ts";
import { exchange } from "./exchange.ts";
import { type HttpRequest, header } from "./types.ts";

const mebibyte = 1 << 20;

/** Content made of `count` chunks, which knows how often it was opened, how far it was read and whether it was let go of. */
const blocks = (count: number, size: number | null = count * mebibyte) => {
  const seen = { opened: 0, taken: 0, released: 0 };
  const content: Content = {
    ...(size === null ? {} : { size }),
    open: async function* () {
      seen.opened++;
      try {
        for (let at = 0; at < count; at++) {
          seen.taken++;
          yield new Uint8Array(mebibyte).fill(at);
        }
      } finally {
        seen.released++;
      }
    },
  };
  return { content, seen };
};

interface Arrived {
  readonly method: string;
  readonly headers: IncomingMessage["headers"];
  size: number;
  complete: boolean;
}

const withServer = async (
  serve: (request: IncomingMessage, response: ServerResponse, arrived: Arrived) => void,
  use: (send: Connection, put: HttpRequest, arrivals: Arrived[]) => Promise<void>,
  { options = {}, checksContinue = false }: { options?: ConnectionOptions; checksContinue?: boolean } = {},
): Promise<void> => {
  const arrivals: Arrived[] = [];
  const server = createServer();
  server.on(checksContinue ? "checkContinue" : "request", (request: IncomingMessage, response: ServerResponse) => {
    const arrived = { method: request.method ?? "", headers: request.headers, size: 0, complete: false };
    arrivals.push(arrived);
    request.on("error", () => {});
    serve(request, response, arrived);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const send = connection({ proxy: false, ...options });
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  try {
    await use(send, { method: "PUT", origin, target: "/upload", headers: [["Content-Length", "999"]] }, arrivals);
  } finally {
    await send.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
};

/** Reads everything and says 201. */
const store = (request: IncomingMessage, response: ServerResponse, arrived: Arrived): void => {
  request.on("data", (chunk: Buffer) => {
    arrived.size += chunk.length;
  });
  request.on("end", () => {
    arrived.complete = true;
    response.writeHead(201).end();
  });
};

test("a body is framed by its length where that is known, else in chunks", () =>
  withServer(store, async (send, put, arrivals) => {
    const body = (length: number | undefined, parts: readonly string[]): Body => ({
      ...(length === undefined ? {} : { length }),
      chunks: (async function* () {
        for (const part of parts) yield Buffer.from(part);
      })(),
      discard: async () => {},
    });
    const table: readonly [
      Partial<HttpRequest>,
      length: string | undefined,
      encoding: string | undefined,
      size: number,
    ][] = [
      [{ body: bytesContent(Buffer.from("hello")) }, "5", undefined, 5],
      [{ body: body(5, ["he", "", "llo"]) }, "5", undefined, 5],
      [{ body: body(undefined, ["he", "llo"]) }, undefined, "chunked", 5],
      [{ body: body(undefined, []) }, undefined, "chunked", 0],
      [{ body: body(0, []) }, "0", undefined, 0],
      [{ body: blocks(3).content }, String(3 * mebibyte), undefined, 3 * mebibyte],
      [{ body: blocks(3, null).content }, undefined, "chunked", 3 * mebibyte],
      [{ body: bytesContent(new Uint8Array(0)) }, "0", undefined, 0],
      [{ method: "POST" }, "0", undefined, 0],
      [{ method: "DELETE" }, undefined, undefined, 0],
    ];
    for (const [request, length, encoding, size] of table) {
      const response = await send({ ...put, ...request });
      await response.body.discard();
      const { headers, ...arrived } = arrivals.at(-1) as Arrived;
      assert.equal(response.status, 201);
      assert.deepEqual(
        [headers["content-length"], headers["transfer-encoding"], arrived.size, arrived.complete],
        [length, encoding, size, true],
      );
    }
  }));

test("a body of another length than announced is never complete on the other side", () =>
  withServer(store, async (send, put, arrivals) => {
    const table: readonly [string, number, number, RegExp][] = [
      ["short", 2, 3 * mebibyte, /only 2097152 of 3145728/],
      ["long by a chunk", 3, 2 * mebibyte, /more than its of 2097152|more than its 2097152/],
      ["long within a chunk", 2, mebibyte + 5, /more/],
      ["empty", 0, 5, /only 0 of 5/],
      ["not empty", 1, 0, /more/],
    ];
    for (const [name, count, size, words] of table) {
      const { content, seen } = blocks(count, size);
      await assert.rejects(
        send({ ...put, body: content }),
        (error) => isDrayError(error, "SIZE_MISMATCH") && words.test(error.message) && !error.retryable,
        name,
      );
      assert.deepEqual([seen.opened, seen.released], [1, 1], name);
    }
    assert.ok(arrivals.every(({ complete }) => !complete));
  }));

test("a source that fails at its very end leaves nothing complete, and its error is the request's", () =>
  withServer(store, async (send, put, arrivals) => {
    const wrong = new DrayError("DIGEST_MISMATCH", "not these bytes");
    const content: Content = {
      size: 10,
      open: async function* () {
        yield new Uint8Array(5);
        // Until the first half is there, so that there is something to be incomplete.
        while (arrivals[0]?.size !== 5) await new Promise((resolve) => setTimeout(resolve, 1));
        yield new Uint8Array(5);
        throw wrong;
      },
    };
    await assert.rejects(send({ ...put, body: content }), wrong);
    assert.deepEqual(
      arrivals.map(({ size, complete }) => [size, complete]),
      [[5, false]],
    );

    const broken = new TypeError("a bug");
    const unopened: Content = {
      size: 10,
      open: () => {
        throw broken;
      },
    };
    await assert.rejects(send({ ...put, body: unopened }), broken);
  }));

test("a server that reads slowly holds the source back", () => {
  let [resume, taken] = [() => {}, 0];
  return withServer(
    (request, response, arrived) => {
      request.pause();
      resume = () => {
        store(request, response, arrived);
        request.resume();
      };
    },
    async (send, put, arrivals) => {
      const { content, seen } = blocks(64);
      const answer = send({ ...put, body: content });
      for (
        let before = -1;
        before < seen.taken || seen.taken === 0;
        await new Promise((resolve) => setTimeout(resolve, 20))
      )
        before = seen.taken;
      taken = seen.taken;
      assert.ok(taken < 32, `${taken} MiB were taken for a server that reads nothing`);
      resume();
      assert.equal((await answer).status, 201);
      assert.equal(arrivals[0]?.size, 64 * mebibyte);
    },
  );
});

test("a server is asked before a large body is sent: 401 costs no upload", () =>
  withServer(
    (_, response) => response.writeHead(401, { "Content-Length": 2 }).end("no"),
    async (send, put, arrivals) => {
      const { content, seen } = blocks(8);
      const response = await send({ ...put, body: content });
      assert.equal(response.status, 401);
      await response.body.discard();
      assert.equal(seen.opened, 0);
      assert.equal(arrivals[0]?.headers.expect, "100-continue");

      let discarded = 0;
      const body: Body = { length: 8 * mebibyte, chunks: content.open(), discard: async () => void discarded++ };
      await (await send({ ...put, body })).body.discard();
      assert.deepEqual([seen.opened, discarded], [0, 1]);
    },
    { checksContinue: true },
  ));

test("a server that says 100 gets the body, small bodies are not asked about", () =>
  withServer(
    (request, response, arrived) => {
      response.writeContinue();
      store(request, response, arrived);
    },
    async (send, put, arrivals) => {
      const { content } = blocks(8);
      assert.equal((await send({ ...put, body: content })).status, 201);
      assert.equal(arrivals[0]?.size, 8 * mebibyte);
    },
    { checksContinue: true },
  ));

test("417 is asked again without the question, and never asked anew", async () => {
  const heads: string[] = [];
  const server = await rawServer((head, socket) => {
    heads.push(/expect/i.test(head) ? "asked" : "sent");
    const status = heads.at(-1) === "asked" ? "417 No" : "201 Created";
    socket.write(
      `HTTP/1.1 ${status}\r\nContent-Length: 0\r\n${heads.at(-1) === "asked" ? "Connection: close\r\n" : ""}\r\n`,
    );
  });
  const send = connection({ proxy: false });
  try {
    for (let nth = 0; nth < 2; nth++) {
      const { content } = blocks(1);
      const response = await send({ method: "PUT", origin: server.origin, target: "/", headers: [], body: content });
      assert.equal(response.status, 201);
      await response.body.discard();
    }
    assert.deepEqual(heads, ["asked", "sent", "sent"]);
  } finally {
    await send.close();
    await server.close();
  }
});

test("a server that does not know the question gets the body when its time is over", async () => {
  let [arrived, unanswered] = ["", 0];
  const server = await rawServer((head, socket) => {
    if (!/expect/i.test(head)) return;
    socket.on("data", (bytes) => {
      arrived += bytes.toString();
      if (arrived.endsWith("body")) socket.write("HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n");
    });
  });
  try {
    const headers = { "Content-Length": 4, Expect: "100-continue" };
    const wire = nodeRequest({ host: "127.0.0.1", port: server.port, method: "PUT", path: "/", headers });
    const request: HttpRequest = {
      method: "PUT",
      origin: server.origin,
      target: "/",
      headers: [],
      body: bytesContent(Buffer.from("body")),
    };
    const response = await exchange(wire, request, {
      circumstances: { host: "r.example", answeredBefore: false },
      timeouts: { connect: 5_000, headers: 5_000, idle: 5_000, commit: 5_000 },
      closing: new AbortController().signal,
      asking: 20,
      unanswered: () => void unanswered++,
      sending: () => {},
      unruly: () => {},
    });
    assert.deepEqual([response.status, unanswered], [201, 1]);
    await response.body.discard();
    wire.destroy();
  } finally {
    await server.close();
  }
});

test("an answer that comes in the middle of an upload ends it", async () => {
  for (const closes of [false, true]) {
    const server = await rawServer((_, socket) => {
      socket.write("HTTP/1.1 100 Continue\r\n\r\n");
      socket.once("data", () => {
        const answer = `HTTP/1.1 413 Too Large\r\nContent-Length: 5\r\n${closes ? "Connection: close\r\n" : ""}\r\nlarge`;
        if (closes) socket.end(answer);
        else socket.write(answer);
      });
    });
    const send = connection({ proxy: false });
    try {
      const { content, seen } = blocks(4_096);
      const response = await send({ method: "PUT", origin: server.origin, target: "/", headers: [], body: content });
      assert.equal(response.status, 413);
      let text = "";
      for await (const chunk of response.body.chunks) text += Buffer.from(chunk).toString();
      assert.equal(text, "large");
      // The source hears of it at its next chunk.
      while (seen.released === 0) await new Promise((resolve) => setTimeout(resolve, 1));
      assert.ok(seen.taken < 4_096);
    } finally {
      await send.close();
      await server.close();
    }
  }
});

test("a connection cut during an upload is a fault that may pass, and the source is let go of", async () => {
  const server = await rawServer((_, socket) => {
    socket.write("HTTP/1.1 100 Continue\r\n\r\n");
    socket.once("data", () => socket.resetAndDestroy());
  });
  const send = connection({ proxy: false });
  try {
    const { content, seen } = blocks(4_096);
    await assert.rejects(
      send({ method: "PUT", origin: server.origin, target: "/", headers: [], body: content }),
      (error) => isDrayError(error, "NETWORK") && error.retryable && /was cut/.test(error.message),
    );
    while (seen.released === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    assert.ok(seen.taken < 4_096);

    // A source that waits for ever is told by its signal.
    let told = false;
    const waiting: Content = {
      size: 2,
      open: async function* ({ signal } = {}) {
        yield new Uint8Array(1);
        await new Promise((resolve) => signal?.addEventListener("abort", resolve));
        told = true;
      },
    };
    const cancel = new AbortController();
    const answer = send({
      method: "PUT",
      origin: server.origin,
      target: "/",
      headers: [],
      body: waiting,
      signal: cancel.signal,
    });
    setTimeout(() => cancel.abort(), 10);
    await assert.rejects(answer);
    while (!told) await new Promise((resolve) => setTimeout(resolve, 1));
  } finally {
    await send.close();
    await server.close();
  }
});

test("one connection's answer is another's body", () =>
  withServer(
    (request, response, arrived) => {
      if (request.method === "PUT") return store(request, response, arrived);
      response.writeHead(200, { "Content-Length": 8 * mebibyte });
      response.end(Buffer.alloc(8 * mebibyte, 7));
    },
    async (send, put, arrivals) => {
      const { body } = await send({ ...put, method: "GET", target: "/blob" });
      const response = await send({ ...put, body });
      assert.equal(response.status, 201);
      assert.equal(header(response.headers, "content-length"), undefined);
      assert.equal(arrivals[1]?.size, 8 * mebibyte);
    },
  ));
