import assert from "node:assert/strict";
import { test } from "node:test";
import { type LetGo, Silences, type Waiting } from "./silences.ts";

const scene = (idle: number) => {
  const told: LetGo[] = [];
  const ended: string[] = [];
  const silences = new Silences(idle, (gone) => told.push(gone));
  const client = (target: string): Waiting & { waitsSince: number } => {
    const one = {
      request: { method: "GET", origin: "", target, headers: [] },
      waitsSince: silences.now,
      cut: () => ended.push(target),
    };
    silences.add(one);
    return one;
  };
  const beats = (count: number): void => {
    for (let i = 0; i < count; i++) silences.tick();
  };
  const shown = () => told.map(({ count, request, seconds, why }) => [count, request.target, seconds, why]);
  return { silences, client, beats, ended, shown };
};

test("a body may stand still for an hour, and not for longer", () => {
  const { client, beats, ended, shown } = scene(3_600_000);
  client("/silent");
  const slow = client("/slow");
  const thinking = client("/thinking");
  thinking.waitsSince = -1;
  beats(3000);
  slow.waitsSince = 3000;
  beats(600);
  assert.deepEqual(ended, []);
  beats(1);
  assert.deepEqual(ended, ["/silent"]);
  assert.deepEqual(shown(), [[1, "/silent", 3601, "limit"]]);
});

test("for room the longest silent go first, as many as are wanted, and none that was silent for a moment", () => {
  const { silences, client, beats, ended, shown } = scene(3_600_000);
  for (const target of ["/a", "/b", "/c"]) {
    client(target);
    beats(20);
  }
  client("/fresh");
  beats(10);
  assert.equal(silences.letGo({ count: 2 }), 2);
  assert.deepEqual(ended, ["/a", "/b"]);
  assert.equal(silences.letGo({ count: 5 }), 1);
  assert.equal(silences.letGo({ count: 5 }), 0);
  assert.deepEqual(ended, ["/a", "/b", "/c"]);
  assert.deepEqual(shown(), [
    [2, "/a", 70, "room"],
    [1, "/c", 30, "room"],
  ]);
  assert.equal(silences.size, 1);
});
