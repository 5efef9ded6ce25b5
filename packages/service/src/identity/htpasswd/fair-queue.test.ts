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
