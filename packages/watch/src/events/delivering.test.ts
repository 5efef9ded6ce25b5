import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryFolder } from "@dray/testkit/files";
import { DrayError } from "dray/errors";
import { append, eventFile, happened } from "../../test/events.ts";
import type { WatchFile } from "../file/index.ts";
import {
  Deliveries,
  Delivering,
  type DeliveringOptions,
  prune,
  quietUntil,
  type Subscription,
  type WatchEvent,
} from "./index.ts";

const begin = Date.UTC(2026, 2, 1, 12);
const [minute, hour] = [60_000, 3_600_000];

type Answer = (events: readonly WatchEvent[]) => void | { refused: string };

/** A queue with one sink whose answers a test sets, and a clock that a test moves. */
const rig = (file: WatchFile, subscription: Partial<Subscription> = {}, options: DeliveringOptions = {}) => {
  const deliveries = new Deliveries(file);
  const told: string[][] = [];
  const state = { now: begin, answer: (() => {}) as Answer };
  const sink = {
    name: "chat",
    send: async (events: readonly WatchEvent[]) => {
      told.push(events.map(({ repository, tag }) => `${repository.slice("registry.example/".length)}:${tag}`));
      return state.answer(events) ?? undefined;
    },
  };
  const clock = { now: () => state.now, random: () => 0, sleep: async () => {} };
  const delivering = new Delivering(deliveries, { sink, ...subscription }, { clock, ...options });
  /** Steps until nothing is to be done at this moment; what is next, from now on. */
  const settle = async (): Promise<number | undefined> => {
    for (let steps = 0; steps < 1000; steps++) {
      const next = await delivering.step();
      if (next === undefined || next > state.now) return next && next - state.now;
    }
    throw new Error("it never comes to rest");
  };
  const take = (): string[] => told.splice(0).map((events) => events.join("+"));
  const counts = () => deliveries.counts().map(({ state, count }) => `${count} ${state}`);
  return { deliveries, state, settle, take, counts };
};

const down: Answer = () => {
  throw new DrayError("NETWORK", "chat.example refused the connection", { retryable: true });
};

test("a new sink hears of what happens from then on, in order, once", async () => {
  const file = await eventFile();
  await append(file, happened("app:1"));
  const { settle, take, counts } = rig(file);
  await settle();
  assert.deepEqual(take(), [], "the past is not told");
  await append(file, happened("app:2", 1), happened("app:3", 2), happened("other:1", 3));
  await settle();
  assert.deepEqual(take().toSorted(), ["app:2", "app:3", "other:1"]);
  await settle();
  assert.deepEqual(take(), []);
  assert.deepEqual(counts(), ["3 delivered"]);
  file.close();
});

test("a sink that is down for an hour is asked more and more seldom, by one event, and then gets all, in order for each image", async () => {
  const file = await eventFile();
  const { state, settle, take, counts } = rig(file);
  await settle();
  await append(file, ...[1, 2, 3].flatMap((tag) => [happened(`app:${tag}`, tag), happened(`other:${tag}`, tag + 10)]));
  state.answer = down;
  const asked: number[] = [];
  while (state.now < begin + hour) {
    const next = (await settle()) ?? 0;
    asked.push(take().length);
    state.now += next;
  }
  assert.ok(asked.length < 14, `asked ${asked.length} times in an hour`);
  assert.ok(
    asked.slice(1).every((count) => count <= 1),
    "one attempt at a time",
  );
  state.answer = () => {};
  await settle();
  const order = take();
  assert.deepEqual(
    order.filter((name) => name.startsWith("app")),
    ["app:1", "app:2", "app:3"],
  );
  assert.deepEqual(
    order.filter((name) => name.startsWith("other")),
    ["other:1", "other:2", "other:3"],
  );
  assert.deepEqual(counts(), ["6 delivered"]);
  file.close();
});

test("a sink that names a moment is not asked before it", async () => {
  const file = await eventFile();
  const { state, settle, take } = rig(file);
  await settle();
  await append(file, happened("app:1"));
  state.answer = () => {
    throw new DrayError("RATE_LIMITED", "too many requests", { status: 429, retryAfter: 90 });
  };
  assert.equal(await settle(), 90_000);
  await append(file, happened("other:1", 1));
  state.now += 89_000;
  assert.equal(await settle(), 1000);
  assert.deepEqual(take(), ["app:1"], "another image waits as well");
  state.now += 1000;
  state.answer = () => {};
  await settle();
  assert.deepEqual(take().toSorted(), ["app:1", "other:1"]);
  file.close();
});

test("what is refused is dead at once and holds nothing up; replayed it goes out under the same id", async () => {
  const file = await eventFile();
  const { deliveries, state, settle, take, counts } = rig(file);
  await settle();
  const bad = happened("app:1");
  await append(file, bad, happened("app:2", 1));
  state.answer = ([event]) => (event?.tag === "1" ? { refused: "status 400: no such channel" } : undefined);
  await settle();
  assert.deepEqual(take(), ["app:1", "app:2"]);
  const [dead] = deliveries.list({ state: "dead" });
  assert.deepEqual(
    [dead?.event.id, dead?.attempts, dead?.error, dead?.due],
    [bad.id, 1, "status 400: no such channel", undefined],
  );
  let seen = "";
  state.answer = ([event]) => void (seen = event?.id ?? "");
  assert.equal(await deliveries.replay({ sink: "another" }, state.now), 0);
  assert.equal(await deliveries.replay({}, state.now), 1);
  await settle();
  assert.deepEqual([take(), seen], [["app:1"], bad.id]);
  assert.deepEqual(counts(), ["2 delivered"]);
  assert.equal(await deliveries.replay({ event: bad.id }, state.now), 1, "one that has arrived, where it is named");
  await settle();
  assert.deepEqual(take(), ["app:1"]);
  file.close();
});

test("what was refused for longer than is waited is given up, and what comes behind it has its own time", async () => {
  const file = await eventFile();
  const { deliveries, state, settle, counts } = rig(file, {}, { giveUp: hour });
  await settle();
  await append(file, happened("app:1"), happened("app:2", 1));
  state.answer = down;
  while (state.now < begin + 3 * hour) state.now += (await settle()) ?? hour;
  assert.deepEqual(counts(), ["2 dead"]);
  assert.match(deliveries.list()[0]?.error ?? "", /refused the connection/);
  assert.ok((deliveries.list()[0]?.attempts ?? 0) > 1);
  file.close();
});

test("a process that is killed while it sends gives the event back when its lease ends, under the same id", async () => {
  const path = join(temporaryFolder("watch-events"), "watch.db");
  const first = await eventFile(path);
  const deliveries = new Deliveries(first);
  await deliveries.queue({ name: "chat" }, begin);
  const event = happened("app:1");
  await append(first, event, happened("app:2", 1));
  await deliveries.queue({ name: "chat" }, begin);
  const [taken] = await deliveries.take("chat", begin, { lease: minute, limit: 4 });
  assert.equal(taken?.event.id, event.id);
  first.close();
  const second = await eventFile(path);
  const { state, settle, take } = rig(second);
  assert.equal(await settle(), minute, "another process sends it, and nobody else does meanwhile");
  assert.deepEqual(take(), []);
  state.now += minute;
  await settle();
  assert.deepEqual(take(), ["app:1", "app:2"]);
  second.close();
});

test("two processes on one file send each event once", async () => {
  const path = join(temporaryFolder("watch-events"), "watch.db");
  const files = [await eventFile(path), await eventFile(path)] as const;
  const rigs = files.map((file) => rig(file));
  for (const { settle } of rigs) await settle();
  await append(files[0], ...Array.from({ length: 40 }, (_, index) => happened(`app${index % 7}:${index}`, index)));
  await Promise.all(rigs.map(({ settle }) => settle()));
  const all = rigs.flatMap(({ take }) => take());
  assert.equal(all.length, 40);
  assert.equal(new Set(all).size, 40);
  for (const file of files) file.close();
});

test("what is cut by a stop that has no time goes out again", async () => {
  const file = await eventFile();
  const deliveries = new Deliveries(file);
  await deliveries.queue({ name: "slow" }, Date.now());
  let begun = (): void => {};
  const sending = new Promise<void>((resolve) => (begun = resolve));
  const sink = {
    name: "slow",
    send: (_: unknown, signal: AbortSignal) =>
      new Promise<undefined>((_resolve, reject) => {
        signal.addEventListener("abort", () => reject(new Error("cut")));
        begun();
      }),
  };
  const delivering = new Delivering(deliveries, { sink });
  delivering.start();
  await append(file, happened("app:1"));
  delivering.wake();
  await sending;
  await delivering.stop(AbortSignal.abort());
  assert.deepEqual(deliveries.counts(), [{ sink: "slow", state: "waiting", count: 1 }]);
  assert.equal(deliveries.list()[0]?.attempts, 0);
  file.close();
});

test("what is on its way when a stop comes arrives, and is noted; nothing more goes out", async () => {
  const file = await eventFile();
  const deliveries = new Deliveries(file);
  await deliveries.queue({ name: "slow" }, Date.now());
  let [begun, arrive, sent] = [(): void => {}, (): void => {}, 0];
  const sending = new Promise<void>((resolve) => (begun = resolve));
  const sink = {
    name: "slow",
    send: () =>
      new Promise<undefined>((resolve) => {
        sent++;
        arrive = () => resolve(undefined);
        begun();
      }),
  };
  const delivering = new Delivering(deliveries, { sink });
  delivering.start();
  await append(file, happened("app:1"), happened("app:2", 1));
  delivering.wake();
  await sending;
  const stopped = delivering.stop();
  arrive();
  await stopped;
  assert.deepEqual(
    deliveries.list().map(({ state }) => state),
    ["delivered", "waiting"],
  );
  assert.equal(sent, 1);
  file.close();
});

test("in quiet hours nothing is sent; afterwards each is, or all of it as one", async () => {
  for (const afterwards of ["send", "digest"] as const) {
    const file = await eventFile();
    const quiet = { from: "22:00", to: "07:00", timeZone: "UTC", afterwards };
    const { state, settle, take, counts } = rig(file, { quiet });
    await settle();
    state.now = Date.UTC(2026, 2, 1, 23, 30);
    await append(file, happened("app:1"), happened("app:2", 1), happened("other:1", 2));
    assert.equal(await settle(), 7.5 * hour);
    assert.deepEqual(take(), []);
    state.now = Date.UTC(2026, 2, 2, 7);
    await append(file, happened("app:3", 3));
    state.answer = down;
    await settle();
    assert.equal(take().length, afterwards === "digest" ? 1 : 2);
    state.now += minute;
    state.answer = () => {};
    await settle();
    if (afterwards === "digest") assert.deepEqual(take(), ["app:1+app:2+other:1", "app:3"]);
    else
      assert.deepEqual(
        take().filter((name) => name.startsWith("app")),
        ["app:1", "app:2", "app:3"],
      );
    assert.deepEqual(counts(), ["4 delivered"]);
    file.close();
  }
});

test("quiet hours end at a time of day in their own zone, and what is no time is refused", () => {
  const at = (text: string): number => Date.parse(text);
  const night = { from: "22:00", to: "07:00", timeZone: "Europe/Vienna" };
  assert.equal(quietUntil(night, at("2026-03-01T20:59:59Z")), undefined);
  assert.equal(quietUntil(night, at("2026-03-01T21:00:00Z")), at("2026-03-02T06:00:00Z"));
  assert.equal(quietUntil(night, at("2026-03-02T05:59:59.999Z")), at("2026-03-02T06:00:00Z"));
  assert.equal(quietUntil(night, at("2026-03-02T06:00:00Z")), undefined);
  assert.equal(quietUntil({ from: "12:00", to: "12:00" }, at("2026-03-02T12:00:00Z")), undefined, "no hours at all");
  for (const wrong of [
    { from: "25:00", to: "07:00" },
    { from: "22", to: "07:00" },
    { ...night, timeZone: "Vienna" },
  ])
    assert.throws(() => quietUntil(wrong, 0), { code: "CONFIG_INVALID" });
});

test("a clock that has jumped back does not keep a delivery for years", async () => {
  const file = await eventFile();
  const { state, settle, take } = rig(file);
  await settle();
  await append(file, happened("app:1"));
  state.answer = down;
  await settle();
  take();
  state.now -= 365 * 24 * hour;
  state.answer = () => {};
  await settle();
  assert.deepEqual(take(), ["app:1"]);
  file.close();
});

test("a sink that is gone does not keep events beyond their number, and what it misses is counted", async () => {
  const file = await eventFile();
  const { deliveries, state, settle, take } = rig(file);
  await settle();
  await append(file, ...[1, 2, 3, 4].map((second) => happened(`app:${second}`, second)));
  state.answer = down;
  await settle();
  take();
  assert.deepEqual(prune(file.statements, begin + 90 * 24 * hour), { events: 0, unsent: 0 }, "waited for, so kept");
  assert.deepEqual(prune(file.statements, begin, { most: 2 }), { events: 2, unsent: 2 });
  assert.deepEqual(
    deliveries.list().map(({ event }) => event.tag),
    ["3", "4"],
  );
  state.now += minute;
  state.answer = () => {};
  await settle();
  assert.deepEqual(take(), ["app:3", "app:4"]);
  file.close();
});

test("what quiet hours have kept back waits for what came before them", async () => {
  const file = await eventFile();
  const quiet = { from: "13:00", to: "14:00", timeZone: "UTC", afterwards: "digest" } as const;
  const { state, settle, take, counts } = rig(file, { quiet }, { retry: { first: 2 * hour, longest: 2 * hour } });
  await settle();
  state.now = begin + 55 * minute;
  await append(file, happened("app:1", 1));
  state.answer = down;
  await settle();
  take();
  state.now = begin + 70 * minute;
  await append(file, happened("app:2", 2), happened("app:3", 3), happened("other:1", 4));
  await settle();
  state.answer = () => {};
  for (; state.now <= begin + 4 * hour; state.now += 5 * minute) await settle();
  const told = take();
  assert.deepEqual(
    told.flatMap((each) => each.split("+")).filter((each) => each.startsWith("app:")),
    ["app:1", "app:2", "app:3"],
  );
  assert.deepEqual([told.includes("app:2+app:3"), counts()], [true, ["4 delivered"]]);
  file.close();
});
