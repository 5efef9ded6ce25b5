import assert from "node:assert/strict";
import { test } from "node:test";
import { FairQueue } from "./fair-queue.ts";

const never = (): boolean => false;
const drain = (queue: FairQueue<string>): string[] => {
  const order: string[] = [];
  for (let turn = queue.next(); turn !== undefined; turn = queue.next()) {
    order.push(turn.item);
    queue.served(turn.place);
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
  queue.served("guesser");
  queue.push("ann", "a", never);
  assert.deepEqual(drain(queue), ["a", "g1", "g2"]);
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
    queue.served(first?.place ?? "");
    assert.match(queue.push("198.51.100.7", "ann", never) ?? "none", /^none$/);
    assert.match(queue.push("2001:db8:2:2", "bob", never) ?? "", /^g/, "room is made by those who have most");
    const order = drain(queue);
    assert.deepEqual(order.slice(0, 2), ["ann", "bob"]);
    assert.equal(order.length, 200);
  });
