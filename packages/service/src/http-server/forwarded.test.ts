import assert from "node:assert/strict";
import type { IncomingMessage } from "node:http";
import { test } from "node:test";
import { originOf, peerOf } from "./exchange.ts";
import { endOf, proxiesOf, Strangers } from "./forwarded.ts";

const message = (remoteAddress: string | undefined, headers: Record<string, string | string[]>): IncomingMessage =>
  ({
    url: "/v2/",
    socket: { remoteAddress, remotePort: 1234 },
    headers: Object.fromEntries([
      ["host", "own:5000"],
      ...Object.entries(headers).map(([name, values]) => [name.toLowerCase(), [values].flat().join(", ")]),
    ]),
    rawHeaders: [
      "Host",
      "own:5000",
      ...Object.entries(headers).flatMap(([name, values]) => [values].flat().flatMap((value) => [name, value])),
    ],
  }) as unknown as IncomingMessage;

const told = (
  remoteAddress: string | undefined,
  trusted: readonly string[],
  headers: Record<string, string | string[]>,
): [string, string] => {
  const asked = message(remoteAddress, headers);
  const end = endOf(asked, { proxies: proxiesOf(trusted), strangers: new Strangers(() => {}) });
  return [originOf({ message: asked, end, context: { scheme: "http" } }), peerOf({ message: asked, end })];
};

const all = { "X-Forwarded-Proto": "https", "X-Forwarded-Host": "registry.example", "X-Forwarded-For": "203.0.113.9" };

for (const [name, remote, trusted, headers, expected] of [
  ["nobody is trusted", "10.0.0.1", [], all, ["http://own:5000", "10.0.0.1:1234"]],
  ["a stranger says it", "10.0.0.1", ["192.168.0.0/16"], all, ["http://own:5000", "10.0.0.1:1234"]],
  ["a proxy by address", "10.0.0.1", ["10.0.0.1"], all, ["https://registry.example", "203.0.113.9"]],
  ["a proxy by CIDR", "10.9.8.7", ["10.0.0.0/8"], all, ["https://registry.example", "203.0.113.9"]],
  ["IPv4 on a socket for both", "::ffff:10.0.0.1", ["10.0.0.0/8"], all, ["https://registry.example", "203.0.113.9"]],
  ["a stranger on a socket for both", "::ffff:10.0.0.1", [], all, ["http://own:5000", "10.0.0.1:1234"]],
  ["IPv6", "fd00::1", ["fd00::/8"], all, ["https://registry.example", "203.0.113.9"]],
  ["an IPv6 stranger", "fd00::1", ["10.0.0.0/8"], all, ["http://own:5000", "[fd00::1]:1234"]],
  ["a unix socket that is trusted", undefined, ["unix"], all, ["https://registry.example", "203.0.113.9"]],
  ["a unix socket that is not", undefined, ["10.0.0.0/8"], all, ["http://own:5000", "unix"]],
  ["nothing said", "10.0.0.1", ["10.0.0.1"], {}, ["http://own:5000", "10.0.0.1:1234"]],
  [
    "what a client made up lies further left",
    "10.0.0.1",
    ["10.0.0.0/8"],
    { "X-Forwarded-For": ["1.1.1.1, 203.0.113.9", "10.0.0.2"] },
    ["http://own:5000", "203.0.113.9"],
  ],
  [
    "an address that is none ends the chain",
    "10.0.0.1",
    ["10.0.0.0/8"],
    { "X-Forwarded-For": "203.0.113.9, unknown" },
    ["http://own:5000", "10.0.0.1:1234"],
  ],
  [
    "an address with a port",
    "10.0.0.1",
    ["10.0.0.1"],
    { "X-Forwarded-For": "203.0.113.9:99" },
    ["http://own:5000", "203.0.113.9"],
  ],
  [
    "IPv6 with a port",
    "10.0.0.1",
    ["10.0.0.1"],
    { "X-Forwarded-For": "[2001:db8::1]:99" },
    ["http://own:5000", "2001:db8::1"],
  ],
  ["bare IPv6", "10.0.0.1", ["10.0.0.1"], { "X-Forwarded-For": "2001:db8::1" }, ["http://own:5000", "2001:db8::1"]],
  [
    "a scheme that is none",
    "10.0.0.1",
    ["10.0.0.1"],
    { "X-Forwarded-Proto": "javascript" },
    ["http://own:5000", "10.0.0.1:1234"],
  ],
  [
    "a host that is none",
    "10.0.0.1",
    ["10.0.0.1"],
    { "X-Forwarded-Host": "a/b@c" },
    ["http://own:5000", "10.0.0.1:1234"],
  ],
  [
    "a host with a port",
    "10.0.0.1",
    ["10.0.0.1"],
    { "X-Forwarded-Host": "[::1]:8443" },
    ["http://[::1]:8443", "10.0.0.1:1234"],
  ],
  [
    "Forwarded",
    "10.0.0.1",
    ["10.0.0.1"],
    { Forwarded: 'For="[2001:db8::1]:99";Proto=https;host="registry.example:8443"' },
    ["https://registry.example:8443", "2001:db8::1"],
  ],
  [
    "Forwarded by two proxies, with what a client made up",
    "10.0.0.1",
    ["10.0.0.0/8"],
    {
      Forwarded: [
        "for=1.1.1.1;host=evil",
        "for=203.0.113.9;proto=https;host=registry.example, for=10.0.0.2;host=inner",
      ],
    },
    ["https://registry.example", "203.0.113.9"],
  ],
  [
    "Forwarded from a stranger",
    "10.0.0.1",
    ["192.168.0.0/16"],
    { Forwarded: "for=1.1.1.1;proto=https;host=evil" },
    ["http://own:5000", "10.0.0.1:1234"],
  ],
  [
    "Forwarded that a client slipped past a proxy of the other kind",
    "10.0.0.1",
    ["10.0.0.0/8"],
    { "X-Forwarded-For": "203.0.113.9", Forwarded: "for=1.1.1.1;proto=https;host=evil" },
    ["http://own:5000", "203.0.113.9"],
  ],
  [
    "Forwarded that hides its client",
    "10.0.0.1",
    ["10.0.0.1"],
    { Forwarded: "for=_hidden" },
    ["http://own:5000", "10.0.0.1:1234"],
  ],
] as const)
  test(name, () => {
    assert.deepEqual(told(remote, trusted, headers as unknown as Record<string, string | string[]>), expected);
  });

test("the host of an absolute target is the one that counts", () => {
  const asked = Object.assign(message("10.0.0.1", {}), { url: "http://other:80/v2/" });
  const end = { peer: "10.0.0.1:1234", proxies: undefined };
  assert.equal(originOf({ message: asked, end, context: { scheme: "http" } }), "http://other:80");
});

test("what is no address and no CIDR is refused", () => {
  for (const entry of ["", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/8/9", "example.com", "::/129", "10.0.0.0/-1"])
    assert.throws(() => proxiesOf([entry]), { code: "CONFIG_INVALID" }, entry);
});

test("strangers that say whom they speak for are told of once each, and not without end", () => {
  const seen: string[] = [];
  const strangers = new Strangers((address) => void seen.push(address));
  const proxies = proxiesOf(["10.0.0.1"]);
  const come = (address: string | undefined, headers: Record<string, string>): string =>
    endOf(message(address, headers), { proxies, strangers }).peer;
  for (let time = 0; time < 3; time++) {
    come("10.0.0.1", { "X-Forwarded-For": "203.0.113.9" });
    come("192.0.2.1", { "X-Forwarded-For": "203.0.113.9" });
    come("::ffff:192.0.2.2", { Forwarded: "for=203.0.113.9" });
    come(undefined, { "X-Forwarded-For": "203.0.113.9" });
    come("192.0.2.3", {});
  }
  assert.deepEqual(seen, ["192.0.2.1", "192.0.2.2", "unix"]);
  for (let last = 10; last < 60; last++) come(`192.0.2.${last}`, { "X-Forwarded-For": "203.0.113.9" });
  assert.equal(seen.length, 16);
});
