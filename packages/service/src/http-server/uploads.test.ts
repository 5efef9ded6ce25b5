import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { rawClient, statuses } from "@dray/testkit";
import { temporaryFolder } from "@dray/testkit/files";
import { collect } from "dray/content";
import type { Handler, HttpRequest } from "dray/http";
import { bare, HttpError, withError } from "../response/index.ts";
import { type Listener, type ListenOptions, listen } from "./index.ts";

const served = async (
  handler: Handler,
  use: (server: Listener) => Promise<void>,
  options: ListenOptions = {},
): Promise<void> => {
  const server = await listen(handler, options);
  try {
    await use(server);
  } finally {
    await server.close();
  }
};

const deny: Handler = async (request) => withError(request, new HttpError(401, "UNAUTHORIZED", "no"));

const sum = async (request: HttpRequest): Promise<number> => {
  const { body } = request;
  assert.ok(body !== undefined && "chunks" in body);
  let total = 0;
  for await (const chunk of body.chunks) total += chunk.byteLength;
  return total;
};

const head = (length: number, more = ""): string =>
  `PUT /x HTTP/1.1\r\nHost: a\r\nContent-Length: ${length}\r\n${more}\r\n`;

test("reading a body is what sends 100 Continue", () =>
  served(
    async (request) => ({
      ...bare(request, 200),
      headers: [
        ["X-Sum", String(await sum(request))],
        ["Content-Length", "0"],
      ],
    }),
    async (server) => {
      const client = await rawClient(server.port);
      client.send(head(5, "Expect: 100-continue\r\n"));
      assert.deepEqual(statuses(await client.until(/\r\n\r\n/)), [100]);
      client.send("12345");
      await client.until(/X-Sum: 5\r\n/);
      // The connection goes on.
      client.send(head(3) + "123");
      await client.until(/X-Sum: 3\r\n/);
      client.socket.destroy();
    },
  ));

test("a refusal costs a waiting client no upload", () =>
  served(deny, async (server) => {
    const client = await rawClient(server.port);
    client.send(head(1_000_000, "Expect: 100-continue\r\n"));
    const text = await client.until(/\]\}/);
    assert.deepEqual(statuses(text), [401]);
    assert.match(text, /\r\nConnection: close\r\n/);
    client.socket.end();
    assert.equal((await client.ended()).code, undefined);
  }));

test("a small body that nobody reads leaves the connection as it is", () =>
  served(deny, async (server) => {
    const client = await rawClient(server.port);
    for (let i = 1; i <= 3; i++) {
      client.send(head(60_000) + "x".repeat(60_000));
      await client.until(new RegExp(`(?:HTTP/1.1 401[^]*){${i}}\\]\\}$`));
    }
    assert.doesNotMatch(client.text, /Connection: close/);
    client.socket.destroy();
  }));

for (const [name, begin, chunk] of [
  ["with a length", head(2 ** 40), "x".repeat(64 * 1024)],
  [
    "in chunks",
    "PUT /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
    `10000\r\n${"x".repeat(65_536)}\r\n`,
  ],
] as const)
  test(`an upload ${name} that goes on sees why it is refused, and no reset`, () =>
    served(deny, async (server) => {
      const client = await rawClient(server.port);
      client.send(begin);
      // It sends without looking at answers, as a client does whose other end is slow.
      for (let sent = 0; sent < 16 * 1024 * 1024; sent += chunk.length)
        if (!client.socket.write(chunk)) await new Promise((resolve) => client.socket.once("drain", resolve));
      assert.deepEqual(statuses(await client.until(/\]\}/)), [401]);
      client.socket.end();
      const { code } = await client.ended();
      assert.equal(code, undefined);
    }));

test("an upload that nobody wants ends some time", () =>
  served(
    deny,
    async (server) => {
      const client = await rawClient(server.port);
      client.send(head(2 ** 40) + "x".repeat(1000));
      const { text } = await client.ended();
      assert.deepEqual(statuses(text), [401]);
    },
    { limits: { linger: 100 } },
  ));

test("what follows an upload that was refused is no request", async () => {
  const seen: string[] = [];
  await served(
    (request) => {
      seen.push(request.target);
      return deny(request);
    },
    async (server) => {
      const client = await rawClient(server.port);
      client.send(`${head(200_000)}${"x".repeat(200_000)}GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n`);
      assert.deepEqual(statuses((await client.ended()).text), [401]);
    },
  );
  assert.deepEqual(seen, ["/x"]);
});

test("a handler that stops in the middle of a body answers, and the client sees it", () =>
  served(
    async (request) => {
      const { body } = request;
      assert.ok(body !== undefined && "chunks" in body);
      for await (const _ of body.chunks) break;
      return withError(request, new HttpError(416, "SIZE_INVALID", "no"));
    },
    async (server) => {
      const client = await rawClient(server.port);
      client.send(head(10_000_000));
      for (let sent = 0; sent < 10_000_000; sent += 50_000)
        if (!client.socket.write("x".repeat(50_000)))
          await new Promise((resolve) => client.socket.once("drain", resolve));
      const { text, code } = await client.ended();
      assert.deepEqual([statuses(text), code], [[416], undefined]);
    },
  ));

test("a client that goes away in the middle of its body is a NETWORK error to whoever reads it", async () => {
  const failed = Promise.withResolvers<unknown>();
  await served(
    async (request) => {
      await sum(request).catch((error: unknown) => failed.resolve(error));
      return bare(request, 200);
    },
    async (server) => {
      const client = await rawClient(server.port);
      client.send(head(100) + "123");
      client.socket.end();
      assert.equal(((await failed.promise) as { code?: string }).code, "NETWORK");
    },
  );
});

test("a body is read as slowly as its reader reads, in little memory", async () => {
  let read = 0;
  const gate = Promise.withResolvers<void>();
  await served(
    async (request) => {
      await gate.promise;
      read = await sum(request);
      return bare(request, 200);
    },
    async (server) => {
      const client = await rawClient(server.port);
      const size = 64 * 1024 * 1024;
      client.send(head(size));
      const block = Buffer.alloc(1024 * 1024);
      let [taken, full] = [0, false];
      const stopped = Promise.withResolvers<void>();
      const more = (): void => {
        for (; taken < size; ) {
          taken += block.byteLength;
          if (!client.socket.write(block)) break;
        }
        // Nothing moves any more: what the system holds is full, and the server takes no more.
        const seen = client.socket.bytesWritten - client.socket.writableLength;
        setTimeout(() => {
          if (full || client.socket.bytesWritten - client.socket.writableLength !== seen) return;
          full = true;
          stopped.resolve();
        }, 300);
      };
      client.socket.on("drain", more);
      more();
      await stopped.promise;
      assert.ok(taken < size, `${taken} bytes were taken of a body that nobody reads`);
      gate.resolve();
      await client.until(/HTTP\/1\.1 200/);
      assert.equal(read, size);
      client.socket.destroy();
    },
  );
});

test("curl shows the refusal of an upload that it is still sending", async (t) => {
  const directory = temporaryFolder("listen");
  const path = join(directory, "large");
  const file = await open(path, "w");
  await file.truncate(256 * 1024 * 1024);
  await file.close();
  await served(deny, async (server) => {
    for (const more of [["-H", "Expect:"], [], ["-H", "Transfer-Encoding: chunked", "-H", "Expect:"]]) {
      const args = ["-sS", "-o", "-", "-w", " %{http_code}", "-X", "PUT", "-T", path, ...more, `${server.origin}/x`];
      const curl = spawn("curl", args, { stdio: ["ignore", "pipe", "pipe"] });
      const outcome = await Promise.all([
        collect(curl.stdout, 10_000, ""),
        collect(curl.stderr, 10_000, ""),
        new Promise<number | null>((resolve, reject) => curl.on("close", resolve).on("error", reject)),
      ]).catch((error: NodeJS.ErrnoException) => error);
      if (outcome instanceof Error) return t.skip(`curl cannot be run: ${outcome.message}`);
      const [out, error, code] = outcome;
      assert.match(Buffer.from(out).toString(), /"UNAUTHORIZED".* 401$/, Buffer.from(error).toString());
      assert.equal(code, 0, Buffer.from(error).toString());
    }
  });
});
