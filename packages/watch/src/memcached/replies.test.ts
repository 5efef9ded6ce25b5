import assert from "node:assert/strict";
import { test } from "node:test";
import { Replies, type Reply } from "./replies.ts";

const wire = Buffer.concat([
  Buffer.from("STORED\r\nVALUE a|b 7 5 12\r\n"),
  Buffer.from([0, 13, 10, 255, 128]),
  Buffer.from("\r\nVALUE empty 0 0\r\n\r\nEND\r\nEND\r\nSERVER_ERROR object too large for cache\r\n"),
]);

const expected = [
  { line: "STORED", items: [] },
  {
    line: "END",
    items: [
      { key: "a|b", flags: 7, cas: 12n, value: Buffer.from([0, 13, 10, 255, 128]) },
      { key: "empty", flags: 0, cas: 0n, value: Buffer.alloc(0) },
    ],
  },
  { line: "END", items: [] },
  { line: "SERVER_ERROR object too large for cache", items: [] },
];

test("answers are the same however they are cut", () => {
  for (let size = 1; size <= wire.byteLength; size++) {
    const got: Reply[] = [];
    const replies = new Replies((reply) => got.push(reply));
    for (let at = 0; at < wire.byteLength; at += size) replies.push(wire.subarray(at, at + size));
    assert.deepEqual(got, expected, `in pieces of ${size}`);
  }
});

test("what no memcached says is told as it was read", () => {
  for (const [text, told] of [
    ["VALUE a 0\r\n", /^VALUE a 0$/],
    ["VALUE a 0 -1\r\n", /^VALUE a 0 -1$/],
    ["VALUE a 0 99999999999\r\n", /^VALUE a 0 9+$/],
    ["VALUE a 0 1\r\nabc\r\n", /a value of a without an end/],
    ["x".repeat(5000), /^x{40}$/],
  ] as const)
    assert.throws(() => new Replies(() => {}).push(Buffer.from(text)), { message: told });
});

test("a value that was promised takes no memory before it comes", () => {
  const before = process.memoryUsage().arrayBuffers;
  const many = Array.from({ length: 64 }, () => new Replies(() => {}));
  for (const replies of many) replies.push(Buffer.from("VALUE a 0 1073741824 1\r\nabc"));
  assert.ok(process.memoryUsage().arrayBuffers - before < 2 ** 26);
});
