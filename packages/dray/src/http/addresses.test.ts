import assert from "node:assert/strict";
import { test } from "node:test";
import { inCidr, isAllowed, isPrivateAddress, parseAddress, parseCidr } from "./addresses.ts";

test("literal addresses are read to their bytes", () => {
  const table: readonly [string, string | undefined][] = [
    ["1.2.3.4", "01020304"],
    ["::", "0".repeat(32)],
    ["::1", `${"0".repeat(31)}1`],
    ["[fe80::1%eth0]", "fe800000000000000000000000000001"],
    ["2001:db8:1:2:3:4:5:6", "20010db8000100020003000400050006"],
    ["1::8", "00010000000000000000000000000008"],
    ["::ffff:10.1.2.3", "00000000000000000000ffff0a010203"],
    ["64:ff9b::1.2.3.4", "0064ff9b000000000000000001020304"],
    ["localhost", undefined],
    ["1.2.3", undefined],
    ["1.2.3.4.5", undefined],
    ["", undefined],
  ];
  for (const [text, hex] of table) {
    const bytes = parseAddress(text);
    assert.equal(bytes && Buffer.from(bytes).toString("hex"), hex, text);
  }
});

const words = (text: string): string[] => text.trim().split(/\s+/);

test("private is what lies in somebody's own network, in every way of writing it", () => {
  const within = `
    0.0.0.0 10.0.0.1 10.255.255.255 100.64.0.1 100.127.255.255 127.0.0.1 127.9.9.9 169.254.169.254 172.16.0.1
    172.31.255.255 192.168.0.1 192.0.0.8 198.18.0.1 224.0.0.1 239.255.255.255 255.255.255.255 :: ::1 [::1] fe80::1
    febf::1 fc00::1 fdff::1 ff02::1 ::ffff:127.0.0.1 ::ffff:a00:1 64:ff9b::10.0.0.1 64:ff9b:1::192.168.0.1
    2002:7f00:1:: ::10.0.0.1 fec0::1`;
  const outside = `
    1.1.1.1 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.0 169.253.255.255
    172.15.255.255 172.32.0.0 192.167.255.255 192.169.0.0 223.255.255.255 2606:4700::1111 ::ffff:8.8.8.8
    64:ff9b::8.8.8.8 2002:808:808:: fbff::1 registry.example localhost`;
  for (const address of words(within)) assert.equal(isPrivateAddress(address), true, address);
  for (const address of words(outside)) assert.equal(isPrivateAddress(address), false, address);
});

test("ranges cut between bytes and within one", () => {
  const table: readonly [string, string, boolean][] = [
    ["10.1.2.3", "10.0.0.0/8", true],
    ["10.1.2.3", "10.1.2.3", true],
    ["10.1.2.4", "10.1.2.3", false],
    ["10.1.16.0", "10.1.0.0/20", false],
    ["10.1.15.255", "10.1.0.0/20", true],
    ["8.8.8.8", "0.0.0.0/0", true],
    ["::1", "0.0.0.0/0", false],
    ["2001:db8::1", "2001:db8::/33", true],
    ["2001:db8:8000::1", "2001:db8::/33", false],
  ];
  for (const [address, range, inside] of table) {
    const bytes = parseAddress(address);
    const cidr = parseCidr(range);
    assert.ok(bytes && cidr, address);
    assert.equal(inCidr(bytes, cidr), inside, `${address} in ${range}`);
  }
  for (const text of ["10.0.0.0/33", "::/129", "10.0.0.0/", "10.0.0.0/8/8", "10.0.0.0/x", "host/8", "host"])
    assert.equal(parseCidr(text), undefined, text);
});

test("what is allowed is named by host, suffix, address or range", () => {
  const table: readonly [readonly string[], string, string, boolean][] = [
    [[], "a.example", "10.0.0.1", false],
    [["a.example"], "A.Example", "10.0.0.1", true],
    [["*.example"], "a.example", "10.0.0.1", true],
    [["*.example"], "example", "10.0.0.1", false],
    [["*.example"], "a.notexample", "10.0.0.1", false],
    [["10.0.0.1"], "a.example", "10.0.0.1", true],
    [["10.0.0.0/8"], "a.example", "::ffff:10.0.0.1", true],
    [["10.0.0.0/8"], "a.example", "192.168.0.1", false],
    [["fd00::/8"], "a.example", "fd12::1", true],
  ];
  for (const [allowed, host, address, open] of table)
    assert.equal(isAllowed(allowed, host, address), open, `${allowed.join()} ${host} ${address}`);
});
