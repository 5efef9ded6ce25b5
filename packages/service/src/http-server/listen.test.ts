import assert from "node:assert/strict";
import { request as ask } from "node:http";
import { test } from "node:test";
import { rawClient, syntheticContent } from "@dray/testkit";
import { collect } from "dray/content";
import { DrayError } from "dray/errors";
import { type Handler, type HeaderPairs, type HttpRequest, type HttpResponse, header } from "dray/http";
import { bare, type ServedBody } from "../response/index.ts";
import { type Listener, listen } from "./index.ts";

const respond = (request: HttpRequest, status: number, headers: HeaderPairs = [], body?: ServedBody): HttpResponse =>
  body === undefined ? { ...bare(request, status), headers } : { status, headers, url: request.target, body };

const served = async (handler: Handler, use: (server: Listener) => Promise<void>): Promise<void> => {
  const server = await listen(handler);
  try {
    await use(server);
  } finally {
    await server.close();
  }
};

interface Answer {
  status: number;
  headers: readonly string[];
  bytes: Uint8Array;
  continued: boolean;
}

const send = (
  server: Listener,
  path: string,
  { method = "GET", headers = {}, body }: { method?: string; headers?: Record<string, string>; body?: Uint8Array } = {},
): Promise<Answer> =>
  new Promise((resolve, reject) => {
    let continued = false;
    const request = ask({ host: "127.0.0.1", port: server.port, path, method, headers, agent: false }, (response) => {
      collect(response, 2 ** 30, "body").then(
        (bytes) => resolve({ status: response.statusCode ?? 0, headers: response.rawHeaders, bytes, continued }),
        reject,
      );
    });
    request.on("error", reject);
    if (headers["Expect"] === undefined) request.end(body);
    else
      request.on("continue", () => {
        continued = true;
        request.end(body);
      });
  });

test("target and headers reach the handler as they were written", () => {
  let seen: HttpRequest | undefined;
  const handler: Handler = async (request) => {
    seen = request;
    return respond(request, 200, [
      ["X-Twice", "a"],
      ["X-Twice", "b"],
    ]);
  };
  return served(handler, async (server) => {
    const answer = await send(server, "/v2/a%2Fb/../c?x=%20&y", { headers: { "X-Mixed-Case": "V" } });
    assert.equal(seen?.target, "/v2/a%2Fb/../c?x=%20&y");
    assert.equal(seen?.origin, server.origin);
    assert.equal(seen?.body, undefined);
    assert.ok(seen?.headers.some(([name, value]) => name === "X-Mixed-Case" && value === "V"));
    const twice = answer.headers.filter((_, i) => answer.headers[i - 1]?.toLowerCase() === "x-twice");
    assert.deepEqual(twice, ["a", "b"]);
  });
});

test("a large body goes out whole, and says how long it is", () =>
  served(
    async (request) =>
      respond(request, 200, [], {
        length: 3_000_001,
        chunks: syntheticContent("a", 3_000_001).open(),
        discard: async () => {},
      }),
    async (server) => {
      const answer = await send(server, "/");
      const expected = await collect(syntheticContent("a", 3_000_001).open(), 2 ** 30, "");
      assert.ok(Buffer.from(answer.bytes).equals(expected));
      assert.ok(answer.headers.includes("3000001"));
    },
  ));

test("a body that fails after its headers breaks the connection after the bytes that came before", () =>
  served(
    async (request) =>
      respond(request, 200, [["Content-Length", "1000"]], { chunks: failing(), discard: async () => {} }),
    async (server) => {
      let got = 0;
      await assert.rejects(
        new Promise((resolve, reject) => {
          ask({ host: "127.0.0.1", port: server.port, agent: false }, (response) => {
            response.on("data", (chunk: Uint8Array) => (got += chunk.byteLength));
            response.on("end", resolve);
            response.on("error", reject);
          })
            .on("error", reject)
            .end();
        }),
        { code: "ECONNRESET" },
      );
      assert.equal(got, 400);
    },
  ));

async function* failing(): AsyncGenerator<Uint8Array> {
  yield new Uint8Array(400);
  throw new DrayError("NETWORK", "cut");
}

test("a handler that fails with NETWORK breaks the connection, with anything else it answers 500", async () => {
  await served(
    async () => {
      throw new DrayError("NETWORK", "cut");
    },
    (server) => assert.rejects(send(server, "/"), { code: "ECONNRESET" }),
  );
  await served(
    async () => {
      throw new Error("a bug in the test");
    },
    async (server) => {
      const answer = await send(server, "/");
      assert.equal(answer.status, 500);
      assert.deepEqual(JSON.parse(Buffer.from(answer.bytes).toString()), {
        errors: [{ code: "UNKNOWN", message: "the server failed; its log says why", detail: null }],
      });
    },
  );
});

test("a body of another length than announced ends the connection", async () => {
  for (const length of ["5", "3"]) {
    await served(
      async (request) =>
        respond(request, 200, [["Content-Length", length]], { chunks: four(), discard: async () => {} }),
      async (server) => {
        const outcome = await send(server, "/").then(
          ({ bytes }) => bytes.byteLength,
          () => "error",
        );
        // Clients see either a cut or what was announced; what matters is that none waits for ever.
        assert.ok(outcome === "error" || outcome === 3, `${length}: ${outcome}`);
      },
    );
  }
});

async function* four(): AsyncGenerator<Uint8Array> {
  yield new Uint8Array(4);
}

test("a client that goes away aborts the signal", async () => {
  const gone = Promise.withResolvers<void>();
  await served(
    (request) =>
      new Promise((resolve) => {
        request.signal?.addEventListener("abort", () => {
          gone.resolve();
          resolve(respond(request, 200));
        });
      }),
    async (server) => {
      const request = ask({ host: "127.0.0.1", port: server.port, agent: false });
      request.on("error", () => {});
      request.end();
      request.on("socket", (socket) => socket.on("connect", () => setImmediate(() => request.destroy())));
      await gone.promise;
    },
  );
});

test("a client that goes away while bytes wait for it ends the body", async () => {
  const ended = Promise.withResolvers<void>();
  const endless = async function* (): AsyncGenerator<Uint8Array> {
    try {
      for (;;) yield new Uint8Array(256 * 1024);
    } finally {
      ended.resolve();
    }
  };
  await served(
    async (request) => respond(request, 200, [], { chunks: endless(), discard: async () => {} }),
    async (server) => {
      const request = ask({ host: "127.0.0.1", port: server.port, agent: false }, (response) => {
        response.once("data", () => request.destroy());
        response.on("error", () => {});
      });
      request.on("error", () => {});
      request.end();
      await ended.promise;
    },
  );
});

test("a body that is not sent is discarded: none is wanted, its headers cannot be sent, its client has gone", async () => {
  let discarded = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<void>();
  const errors: unknown[] = [];
  const server = await listen(
    async (request) => {
      const { signal } = request;
      if (request.target === "/gone")
        await new Promise<void>((resolve) => {
          signal?.addEventListener("abort", () => resolve());
          begun.resolve();
        });
      const body = { length: 4, chunks: four(), discard: async () => discarded.resolve() };
      return respond(request, 200, request.target === "/bad" ? [["X", "a\r\nb"]] : [], body);
    },
    { onError: (error) => errors.push(error) },
  );
  try {
    assert.equal((await send(server, "/", { method: "HEAD" })).bytes.byteLength, 0);
    await discarded.promise;
    assert.equal(errors.length, 0);
    discarded = Promise.withResolvers();
    await assert.rejects(send(server, "/bad"));
    await discarded.promise;
    assert.equal(errors.length, 1);
    discarded = Promise.withResolvers();
    const request = ask({ host: "127.0.0.1", port: server.port, path: "/gone", agent: false });
    request.on("error", () => {});
    request.end();
    await begun.promise;
    request.destroy();
    await discarded.promise;
    assert.equal(errors.length, 1);
  } finally {
    await server.close();
  }
});

test("a copy of a request has all that it had", () =>
  served(
    async (request) => {
      const copy = { ...request };
      assert.equal(copy.origin, request.origin);
      assert.match(String(copy.peer), /^127\.0\.0\.1:\d+$/);
      assert.equal(copy.signal, request.signal);
      assert.ok(copy.body !== undefined && "chunks" in copy.body);
      copy.proceed?.();
      return respond(request, 200, [["X-Got", String((await collect(copy.body.chunks, 100, "body")).byteLength)]]);
    },
    async (server) => {
      const answer = await send(server, "/", {
        method: "PUT",
        headers: { "Content-Length": "3" },
        body: new Uint8Array(3),
      });
      assert.ok(answer.headers.includes("X-Got") && answer.headers.includes("3"));
    },
  ));

test("a handler's fault is told to the log, with its request", async () => {
  const heard: string[] = [];
  const server = await listen(
    async (request) => {
      if (request.target === "/body")
        return respond(request, 200, [], {
          chunks: (async function* () {
            yield new Uint8Array(1);
            throw new Error("disk");
          })(),
          discard: async () => {},
        });
      throw new Error("bug");
    },
    { onError: (error, request) => heard.push(`${request.target} ${(error as Error).message}`) },
  );
  try {
    assert.equal((await send(server, "/throws")).status, 500);
    await assert.rejects(send(server, "/body"));
    assert.deepEqual(heard, ["/throws bug", "/body disk"]);
  } finally {
    await server.close();
  }
});

test("a name for a request is a trusted proxy's to give", async () => {
  const seen: (string | undefined)[] = [];
  const handler: Handler = async (request) => {
    seen.push(header(request.headers, "X-Request-Id"));
    return bare(request, 200);
  };
  for (const trustedProxies of [[], ["10.0.0.0/8"], ["127.0.0.1"]]) {
    const server = await listen(handler, { trustedProxies });
    const client = await rawClient(server.port);
    client.send("GET /x HTTP/1.1\r\nHost: a\r\nx-request-id: chosen\r\n\r\n");
    await client.until(/200 OK/);
    client.socket.destroy();
    await server.close();
  }
  assert.deepEqual(seen, [undefined, undefined, "chosen"]);
});
