import assert from "node:assert/strict";
import { test } from "node:test";
import { FairQueue } from "./fair-queue.ts";

const never = (): boolean => false;
const drain = (queue: FairQueue<string>): string[] => {
  const order: string[] = [];
  for (let turn = queue.next(); turn !== undefined; turn = queue.next()) {
    order.push(turn.item);
    queue.served(turn.place, turn.item);
  }
  return order;
};

test("whoever asks much waits behind whoever asks once", () => {
  const queue = new FairQueue<string>(100);
  for (let at = 0; at < 4; at++) queue.push("guesser", `g${at}`, never);
  queue.push("ann", "a", never);
  queue.push("bob", "b", never);
  assert.deepEqual(drain(queue), ["g0", "a", "b", "g1", "g2", "g3"]);
});

test("what was done for a place counts while anybody waits", () => {
  const queue = new FairQueue<string>(100);
  for (let at = 0; at < 3; at++) queue.push("guesser", `g${at}`, never);
  queue.next();
  queue.served("guesser", "g0");
  queue.push("ann", "a", never);
  assert.deepEqual(drain(queue), ["a", "g1", "g2"]);
});

test("behind one address, whom others guess at waits behind those at whom nobody does", () => {
  const queue = new FairQueue<string>(200, (item) => item.slice(0, 1));
  for (const name of "abcdefg") for (let at = 0; at < 10; at++) queue.push("proxy", `${name}${at}`, never);
  for (const name of "uvwxyz") queue.push("proxy", name, never);
  const order = drain(queue);
  assert.deepEqual(order.slice(0, 13), ["a0", "b0", "c0", "d0", "e0", "f0", "g0", "u", "v", "w", "x", "y", "z"]);
  assert.equal(order.length, 76);
});

test("where all is full, the place with most in it loses its newest, and what is cheap first", () => {
  const queue = new FairQueue<string>(3);
  for (const item of ["g0", "cheap", "g1"]) assert.equal(queue.push("guesser", item, never), undefined);
  assert.equal(queue.push("guesser", "g2", never), "g2");
  assert.equal(
    queue.push("ann", "a", (item) => item === "cheap"),
    "cheap",
  );
  assert.equal(queue.push("bob", "b", never), "g1");
  assert.equal(queue.size, 3);
  assert.deepEqual(queue.clear().toSorted(), ["a", "b", "g0"]);
  assert.equal(queue.size, 0);
});

for (const [kind, placeOf] of [
  ["IPv6", (at: number) => `2001:db8:1:${at.toString(16)}`],
  ["IPv4", (at: number) => `192.0.2.${at}`],
] as const)
  test(`whoever has many addresses of a network waits behind whoever asks once from another: ${kind}`, () => {
    const queue = new FairQueue<string>(200);
    const left: (string | undefined)[] = [];
    for (let at = 0; at < 250; at++) left.push(queue.push(placeOf(at), `g${at}`, never));
    assert.equal(left.filter((item) => item !== undefined).length, 50);
    const first = queue.next();
    queue.served(first?.place ?? "", first?.item ?? "");
    assert.match(queue.push("198.51.100.7", "ann", never) ?? "none", /^none$/);
    assert.match(queue.push("2001:db8:2:2", "bob", never) ?? "", /^g/, "room is made by those who have most");
    const order = drain(queue);
    assert.deepEqual(order.slice(0, 2), ["ann", "bob"]);
    assert.equal(order.length, 200);
  });
