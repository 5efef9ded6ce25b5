import assert from "node:assert/strict";
import { test } from "node:test";
import { addressOf, networkAround } from "./address.ts";

test("the address without its port; of IPv6 the network", () => {
  for (const [peer, address] of [
    [undefined, ""],
    ["192.0.2.1:4000", "192.0.2.1"],
    ["192.0.2.1", "192.0.2.1"],
    ["[::ffff:192.0.2.1]:4000", "192.0.2.1"],
    ["::ffff:192.0.2.1", "192.0.2.1"],
    ["[2001:db8:1:2:3:4:5:6]:4000", "2001:db8:1:2"],
    ["2001:db8:1:2::6", "2001:db8:1:2"],
    ["[2001:DB8::6]:4000", "2001:db8:0:0"],
    ["[2001:0db8:0000:0002::6]:4000", "2001:db8:0:2"],
    ["[::1]:4000", "0:0:0:0"],
    ["[::]:4000", "0:0:0:0"],
    ["[fe80::1%eth0]:4000", "fe80:0:0:0"],
    ["a socket", "a socket"],
  ] as const)
    assert.equal(addressOf(peer), address, peer);
});

test("the network around a place, and around what is no address itself", () => {
  for (const [place, network] of [
    ["192.0.2.1", "192.0.2"],
    ["2001:db8:1:2", "2001:db8:1"],
    ["0:0:0:0", "0:0:0"],
    ["", ""],
    ["a socket", "a socket"],
  ] as const)
    assert.equal(networkAround(place), network, place);
});
