import assert from "node:assert/strict";
import { test } from "node:test";
import { fakeClock } from "@dray/testkit";
import { bytesBody } from "dray/content";
import { isDrayError } from "dray/errors";
import type { Handler, HttpRequest } from "dray/http";
import { Rate } from "./rate.ts";

const request: HttpRequest = { method: "GET", origin: "https://r.example", target: "/v2/", headers: [] };
const answering =
  (status: () => number): Handler =>
  async () => ({ status: status(), headers: [], url: "https://r.example/v2/", body: bytesBody(new Uint8Array()) });

const minute = 60_000;

test("a burst goes at once, and then as many a second as were said", async () => {
  const clock = fakeClock(0);
  const rate = new Rate("r.example", { rps: 10, burst: 5 }, minute, clock);
  const sent: number[] = [];
  const send = rate.middleware(answering(() => (sent.push(clock.now()), 200)));
  await clock.run(Promise.all(Array.from({ length: 8 }, () => send(request))));
  assert.deepEqual(sent, [0, 0, 0, 0, 0, 100, 200, 300]);
  await clock.advance(10_000);
  await clock.run(Promise.all(Array.from({ length: 6 }, () => send(request))));
  assert.deepEqual(sent.slice(8), [10_300, 10_300, 10_300, 10_300, 10_300, 10_400]);
});

test("a refusal halves the rate once for all that was on its way, down to one request in ten seconds", async () => {
  const clock = fakeClock(0);
  const rate = new Rate("r.example", { rps: 50, burst: 10 }, minute, clock);
  let open = (): void => {};
  const held = new Promise<void>((resolve) => {
    open = resolve;
  });
  const send = rate.middleware(async (asked) => {
    await held;
    return answering(() => 429)(asked);
  });
  const together = Promise.all(Array.from({ length: 8 }, () => send(request)));
  await clock.advance(0);
  open();
  for (const { status } of await clock.run(together)) assert.equal(status, 429);
  assert.equal(rate.rps, 25);
  for (let i = 0; i < 12; i++) await clock.run(send(request));
  assert.equal(rate.rps, 0.1);
});

test("the rate comes back by time, not by how often something succeeds, and not without success", async () => {
  const clock = fakeClock(0);
  const rate = new Rate("r.example", { rps: 40, burst: 1 }, minute, clock);
  const refused = rate.middleware(answering(() => 429));
  for (let i = 0; i < 3; i++) await clock.run(refused(request));
  assert.equal(rate.rps, 5);
  for (let i = 0; i < 1_000; i++) rate.succeed();
  assert.equal(rate.rps, 5);
  await clock.advance(minute);
  assert.equal(rate.rps, 5);
  for (let i = 0; i < 1_000; i++) rate.succeed();
  assert.equal(rate.rps, 7.5);
  await clock.advance(1.5 * minute);
  rate.succeed();
  assert.equal(rate.rps, 11.25);
  await clock.advance(0.5 * minute);
  rate.succeed();
  assert.equal(rate.rps, 16.875);
  await clock.advance(60 * minute);
  rate.succeed();
  assert.equal(rate.rps, 40);
});

test("a clock that is set back takes no request its turn and no recovery for ever", async () => {
  let now = 1_000_000;
  const slept: number[] = [];
  const clock = { now: () => now, random: () => 0, sleep: async (ms: number) => void slept.push(ms) };
  const rate = new Rate("r.example", { rps: 10, burst: 1 }, minute, clock);
  await rate.middleware(answering(() => 429))(request);
  now = 0;
  await rate.middleware(answering(() => 200))(request);
  assert.deepEqual(slept, [200]);
  rate.succeed();
  now = minute;
  rate.succeed();
  assert.equal(rate.rps, 7.5);
});

test("a request that would wait for too long is refused at once, and takes no turn", async () => {
  const clock = fakeClock(0);
  const rate = new Rate("r.example", { rps: 1, burst: 1 }, 1_500, clock);
  const send = rate.middleware(answering(() => 200));
  const [first, second] = [send(request), send(request)];
  for (let i = 0; i < 3; i++)
    await assert.rejects(
      send(request),
      (error) =>
        isDrayError(error, "RATE_LIMITED") &&
        error.retryAfter === 2 &&
        error.message.startsWith("rate limited: r.example"),
    );
  await clock.run(Promise.all([first, second]));
  assert.equal(clock.now(), 1_000);
});

test("a wait ends with its signal, and the turn goes to the next", async () => {
  const clock = fakeClock(0);
  const rate = new Rate("r.example", { rps: 1, burst: 1 }, minute, clock);
  const send = rate.middleware(answering(() => 200));
  await send(request);
  const stop = new AbortController();
  const waiting = send({ ...request, signal: stop.signal });
  stop.abort();
  await assert.rejects(waiting, (error) => isDrayError(error, "ABORTED"));
  await clock.run(send(request));
  assert.equal(clock.now(), 1_000);
});

test("rates that mean nothing are refused", () => {
  const clock = fakeClock();
  for (const wrong of [{ rps: 0 }, { rps: Number.NaN }, { burst: 0 }, { burst: 1.5 }])
    assert.throws(
      () => new Rate("r", wrong, minute, clock),
      (error) => isDrayError(error, "USAGE"),
    );
});
