import assert from "node:assert/strict";
import { test } from "node:test";
import { type LetGo, Silences, type Waiting } from "./silences.ts";

const scene = (idle: number) => {
  const told: LetGo[] = [];
  const ended: string[] = [];
  const silences = new Silences(idle, (gone) => told.push(gone));
  const client = (target: string, peer = "192.0.2.1:1"): Waiting & { waitsSince: number } => {
    const one = {
      request: { method: "GET", origin: "", target, headers: [], peer },
      waitsSince: silences.now,
      cut: () => ended.push(target),
    };
    silences.open.add(one);
    return one;
  };
  const beats = (count: number): void => {
    for (let i = 0; i < count; i++) silences.tick();
  };
  const shown = () => told.map(({ count, request, seconds, why }) => [count, request?.target, seconds, why]);
  return { silences, client, beats, ended, shown, told };
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
  assert.equal(silences.open.size, 1);
});

test("for room whoever holds most loses his before anybody loses the only one, and is named", () => {
  const { silences, client, beats, told } = scene(3_600_000);
  client("/only", "192.0.2.7:40000");
  beats(20);
  for (let port = 1; port <= 3; port++) client(`/many${port}`, `192.0.2.8:${port}`);
  beats(20);
  assert.equal(silences.letGo({ count: 2 }), 2);
  assert.deepEqual(
    told.map(({ request, peer }) => [request?.target, peer]),
    [["/many1", "192.0.2.8:1"]],
  );
  assert.equal(silences.letGo({ count: 1 }), 1);
  assert.deepEqual(told.at(-1)?.peer, "192.0.2.7:40000");
});
