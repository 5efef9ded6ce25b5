import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { rawClient, statuses } from "@dray/testkit";
import { collect } from "dray/content";
import type { Handler } from "dray/http";
import { bare, withBytes } from "../response/index.ts";
import { type Listener, listen } from "./index.ts";

/** `METHOD target body` of each request as the handler saw it. */
let seen: string[] = [];
const handler: Handler = async (request) => {
  const { body } = request;
  const nth = seen.push(`${request.method} ${request.target}`) - 1;
  const bytes = body !== undefined && "chunks" in body ? await collect(body.chunks, 1_000_000, "") : undefined;
  if (bytes !== undefined) seen[nth] += ` ${Buffer.from(bytes).toString()}`;
  if (request.method === "HEAD") return { ...bare(request, 200), headers: [["Content-Length", "5"]] };
  return withBytes(request, 200, [], new TextEncoder().encode("hello"));
};

let server: Listener;
before(async () => {
  server = await listen(handler);
});
after(() => server.close());

interface Case {
  readonly name: string;
  readonly send: string;
  /** Statuses of the answers, until the server ends the connection; one list or another where the runtimes' parsers differ. */
  readonly answers: readonly (readonly number[])[];
  /** What the handler saw. */
  readonly sees: readonly string[];
}

const smuggled = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n";
const last = "GET /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
const put = (headers: string, body = ""): string => `PUT /x HTTP/1.1\r\nHost: a\r\n${headers}\r\n\r\n${body}`;
const get = (headers: string, target = "/x"): string => `GET ${target} HTTP/1.1\r\nHost: a\r\n${headers}\r\n`;

const refusedAs = (name: string, send: string, ...allowed: readonly (number | "cut")[]): Case => ({
  name,
  send,
  answers: allowed.length === 0 ? [[400]] : allowed.map((status) => (status === "cut" ? [] : [status])),
  sees: [],
});

const cases: readonly Case[] = [
  refusedAs(
    "Content-Length and Transfer-Encoding",
    put("Content-Length: 5\r\nTransfer-Encoding: chunked", `0\r\n\r\n${smuggled}`),
  ),
  refusedAs(
    "Transfer-Encoding and Content-Length",
    put("Transfer-Encoding: chunked\r\nContent-Length: 5", `0\r\n\r\n${smuggled}`),
  ),
  refusedAs("two different Content-Lengths", put("Content-Length: 5\r\nContent-Length: 6", `12345${smuggled}`)),
  refusedAs("the same Content-Length twice", put("Content-Length: 5\r\nContent-Length: 5", `12345${smuggled}`)),
  refusedAs("a list as Content-Length", put("Content-Length: 5, 5", `12345${smuggled}`)),
  refusedAs("a Content-Length with a sign", put("Content-Length: +5", `12345${smuggled}`)),
  refusedAs("a negative Content-Length", put("Content-Length: -5", `12345${smuggled}`)),
  refusedAs("a hexadecimal Content-Length", put("Content-Length: 0x5", `12345${smuggled}`)),
  refusedAs("a Content-Length with a space inside", put("Content-Length: 5 5", `12345${smuggled}`)),
  refusedAs("a Content-Length beyond 64 bits", put("Content-Length: 99999999999999999999", `12345${smuggled}`)),
  refusedAs("an empty Content-Length", put("Content-Length: ", `12345${smuggled}`)),
  refusedAs("a space before the colon of Content-Length", put("Content-Length : 5", `12345${smuggled}`)),
  refusedAs(
    "a space before the colon of Transfer-Encoding",
    put("Transfer-Encoding : chunked", `0\r\n\r\n${smuggled}`),
  ),
  refusedAs("Transfer-Encoding on a folded line", put("Transfer-Encoding:\r\n chunked", `0\r\n\r\n${smuggled}`)),
  refusedAs("a folded header", get("X-Folded: a\r\n b\r\n")),
  refusedAs("a header that begins with a space", get(" X: a\r\n")),
  refusedAs("a header without a name", get(": a\r\n")),
  refusedAs("a header without a colon", get("X\r\n")),
  refusedAs("a NUL in a header", get("X: a\0b\r\n")),
  refusedAs("a lone CR in a header", get("X: a\rY: b\r\n")),
  refusedAs("lines that end in LF alone", "GET /x HTTP/1.1\nHost: a\n\n"),
  refusedAs("an encoding before chunked", put("Transfer-Encoding: gzip, chunked", `0\r\n\r\n${smuggled}`), 501),
  refusedAs("chunked twice", put("Transfer-Encoding: chunked, chunked", `0\r\n\r\n${smuggled}`)),
  refusedAs("identity after chunked", put("Transfer-Encoding: chunked, identity", `0\r\n\r\n${smuggled}`)),
  refusedAs(
    "Transfer-Encoding twice",
    put("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", `0\r\n\r\n${smuggled}`),
  ),
  refusedAs(
    "Transfer-Encoding with something before its value",
    put("Transfer-Encoding: xchunked", `0\r\n\r\n${smuggled}`),
    501,
    "cut",
  ),
  refusedAs("Transfer-Encoding with a vertical tab", put("Transfer-Encoding: \x0bchunked", `0\r\n\r\n${smuggled}`)),
  refusedAs(
    "HTTP/1.0 with Transfer-Encoding",
    `PUT /x HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${smuggled}`,
    400,
    "cut",
  ),
  refusedAs("no Host", "GET /x HTTP/1.1\r\n\r\n"),
  refusedAs("two Hosts", "GET /x HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"),
  refusedAs("the same Host twice", "GET /x HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"),
  refusedAs("a Host with a path", "GET /x HTTP/1.1\r\nHost: a/../b\r\n\r\n"),
  refusedAs("a Host with user information", "GET /x HTTP/1.1\r\nHost: a@b\r\n\r\n"),
  refusedAs("an unknown method", "FOO /x HTTP/1.1\r\nHost: a\r\n\r\n"),
  refusedAs("a method in small letters", "get /x HTTP/1.1\r\nHost: a\r\n\r\n"),
  refusedAs("a space in the target", "GET /x y HTTP/1.1\r\nHost: a\r\n\r\n"),
  refusedAs("no version", "GET /x\r\n\r\n"),
  refusedAs("an unknown version", "GET /x HTTP/9.9\r\nHost: a\r\n\r\n"),
  refusedAs("the beginning of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
  refusedAs("TLS where there is none", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),
  refusedAs("headers of more than 64 KiB", get(`X: ${"a".repeat(65_536)}\r\n`), 431),
  refusedAs("a target of more than 32 Ki characters", get("", `/${"a".repeat(32 * 1024)}`), 414),
  {
    name: "pipelined requests are answered in order",
    send: get("", "/1") + put("Content-Length: 5", "12345") + get("", "/2") + last,
    answers: [[200, 200, 200, 200]],
    sees: ["GET /1", "PUT /x 12345", "GET /2", "GET /last"],
  },
  {
    name: "chunks, an extension and a trailer",
    send: put("Transfer-Encoding: chunked", "3;a=b\r\nabc\r\nA\r\n0123456789\r\n0\r\nX-Trailer: 1\r\n\r\n") + last,
    answers: [[200, 200]],
    sees: ["PUT /x abc0123456789", "GET /last"],
  },
  {
    name: "a GET with a body",
    send: get(`Content-Length: ${smuggled.length}\r\n`) + smuggled + last,
    answers: [[200, 200]],
    sees: [`GET /x ${smuggled}`, "GET /last"],
  },
  {
    name: "a HEAD with a body",
    send: `HEAD /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n${last}`,
    answers: [[200, 200]],
    sees: ["HEAD /x abc", "GET /last"],
  },
  {
    name: "a target in absolute form",
    send: get("", "http://b:80/y?z") + last,
    answers: [[200, 200]],
    sees: ["GET /y?z", "GET /last"],
  },
  {
    name: "an absolute target without a path",
    send: get("", "http://b?z") + last,
    answers: [[200, 200]],
    sees: ["GET /?z", "GET /last"],
  },
  {
    name: "an upgrade that is not done",
    send: "GET /x HTTP/1.1\r\nHost: a\r\nConnection: upgrade, close\r\nUpgrade: h2c\r\n\r\n",
    answers: [[200]],
    sees: ["GET /x"],
  },
  { name: "HTTP/1.0 without Host", send: "GET /x HTTP/1.0\r\n\r\n", answers: [[200]], sees: ["GET /x"] },
  {
    name: "OPTIONS of the server as a whole",
    send: "OPTIONS * HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    answers: [[204]],
    sees: [],
  },
  {
    name: "OPTIONS of the server as a whole, as old balancers ask",
    send: "OPTIONS * HTTP/1.0\r\n\r\n",
    answers: [[204]],
    sees: [],
  },
  { name: "CONNECT", send: "CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n", answers: [[]], sees: [] },
  {
    name: "100 headers",
    send: get(Array.from({ length: 100 }, (_, i) => `X-${i}: 1\r\n`).join("")) + last,
    answers: [[200, 200]],
    sees: ["GET /x", "GET /last"],
  },
];

for (const { name, send, answers, sees } of cases)
  test(name, async () => {
    seen = [];
    const client = await rawClient(server.port);
    client.send(Buffer.from(send, "latin1"));
    const { text } = await client.ended();
    assert.deepEqual(seen, sees);
    const got = JSON.stringify(statuses(text));
    assert.ok(
      answers.some((list) => JSON.stringify(list) === got),
      text,
    );
  });

for (const [name, body] of [
  ["a chunk size that is no number", "x\r\nabc\r\n0\r\n\r\n"],
  ["a negative chunk size", "-3\r\nabc\r\n0\r\n\r\n"],
  ["a chunk size beyond 64 bits", "fffffffffffffffff\r\nabc\r\n0\r\n\r\n"],
  ["a chunk longer than it says", "3\r\nabcd\r\n0\r\n\r\n"],
  ["a chunk size with a space before it", " 3\r\nabc\r\n0\r\n\r\n"],
  ["a chunk that ends in LF alone", "3\nabc\n0\n\n"],
] as const)
  test(name, async () => {
    seen = [];
    const client = await rawClient(server.port);
    client.send(put("Transfer-Encoding: chunked", body) + smuggled);
    const { text } = await client.ended();
    // Begun, never read to an end.
    assert.deepEqual(seen, ["PUT /x"]);
    assert.ok(
      statuses(text).every((status) => status === 400),
      text,
    );
  });

for (const [name, headers, body] of [
  ["a body shorter than its Content-Length", "Content-Length: 10", "12345"],
  ["chunks without their end", "Transfer-Encoding: chunked", "3\r\nabc\r\n"],
] as const)
  test(`${name} is never taken for whole`, async () => {
    seen = [];
    const client = await rawClient(server.port);
    client.send(put(headers, body));
    client.socket.end();
    const { text } = await client.ended();
    // Begun, never read to an end.
    assert.deepEqual(seen, ["PUT /x"]);
    assert.ok(
      statuses(text).every((status) => status === 400),
      text,
    );
  });
