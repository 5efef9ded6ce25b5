import assert from "node:assert/strict";
import { test } from "node:test";
import { everywhere, fitsSocket, parseAddress } from "./listen-address.ts";

test("addresses", () => {
  const table: [string, { host: string; port: number } | undefined][] = [
    [":5000", { host: everywhere, port: 5000 }],
    ["localhost:5000", { host: "localhost", port: 5000 }],
    ["0.0.0.0:80", { host: "0.0.0.0", port: 80 }],
    ["[::1]:5000", { host: "::1", port: 5000 }],
    ["[::]:0", { host: "::", port: 0 }],
    ["my_host.example:1", { host: "my_host.example", port: 1 }],
    ["5000", undefined],
    ["localhost", undefined],
    ["localhost:http", undefined],
    ["localhost:65536", undefined],
    ["::1:5000", undefined],
    ["[localhost]:1", undefined],
    ["999.0.0.1:1", undefined],
    ["http://localhost:1", undefined],
    ["a b:1", undefined],
    ["", undefined],
  ];
  for (const [text, expected] of table) assert.deepEqual(parseAddress(text), expected, text);
});

test("a socket's path has a length that systems take", () => {
  assert.equal(fitsSocket("/".padEnd(103, "a")), true);
  assert.equal(fitsSocket("/".padEnd(104, "a")), false);
});
