import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { type FakeClock, fakeClock } from "@dray/testkit";
import { bytesBody, bytesContent, type ProgressEvent } from "../content/index.ts";
import { DrayError, isDrayError } from "../errors.ts";
import { type BudgetOptions, budget } from "./budget.ts";
import { connection } from "./connection.ts";
import type { Handler, HeaderPairs, HttpRequest } from "./types.ts";

const get: HttpRequest = { method: "GET", origin: "https://r.example", target: "/v2/a/manifests/1", headers: [] };
const answer = (status: number, headers: HeaderPairs = [], url = "https://r.example/") => ({
  status,
  headers,
  url,
  body: bytesBody(new Uint8Array()),
});

/** A registry that takes `latency` to answer and refuses what `verdict` says; writes down when each request came and what became of it. */
const registry = (
  clock: FakeClock,
  verdict: (nth: number, now: number) => readonly [number, HeaderPairs?],
  latency = 10,
) => {
  const start = clock.now();
  const log: { at: number; status: number; answeredAt: number; parallel: number }[] = [];
  let parallel = 0;
  const handler: Handler = async () => {
    const entry = { at: clock.now() - start, status: 0, answeredAt: 0, parallel: ++parallel };
    log.push(entry);
    const [status, headers] = verdict(log.length, entry.at);
    await clock.sleep(latency);
    parallel--;
    entry.status = status;
    entry.answeredAt = clock.now() - start;
    return answer(status, headers);
  };
  return { log, handler };
};

const many = (send: Handler, count: number, request: HttpRequest = get): Promise<number[]> =>
  Promise.all(Array.from({ length: count }, async () => (await send(request)).status));

const limited = (seconds: string): readonly [number, HeaderPairs] => [429, [["Retry-After", seconds]]];

test("a hint that nothing is left is waited for and told of once, and never fails anybody", async () => {
  const hint: HeaderPairs = [
    ["X-RateLimit-Remaining", "0"],
    ["X-RateLimit-Reset", "5"],
  ];
  for (const [maxWait, waited] of [
    [900_000, 5_000],
    [1_000, 1_000],
    [0, 0],
  ] as const) {
    const clock = fakeClock();
    const { handler, log } = registry(clock, (nth) => [200, nth === 1 ? hint : []]);
    const events: ProgressEvent[] = [];
    const request = { ...get, context: { onEvent: (event: ProgressEvent) => events.push(event) } };
    const send = budget({ clock, maxWait })(handler);
    const statuses = clock.run(send(request).then(async (first) => [first.status, ...(await many(send, 2, request))]));
    assert.deepEqual(await statuses, [200, 200, 200]);
    assert.equal(log[1]?.at, 10 + waited);
    const told = { type: "throttled", registry: "r.example", delay: waited } as const;
    assert.deepEqual(
      events.filter(({ type }) => type === "throttled"),
      waited === 0 ? [] : [told],
    );
  }
});

test("a 429 stops everyone; then one goes first, and more follow", async () => {
  const clock = fakeClock();
  // The first request, with seven others on their way, is told to wait for three seconds.
  const { handler, log } = registry(clock, (nth) => (nth === 1 ? limited("3") : [200]));
  const statuses = await clock.run(many(budget({ clock, concurrency: 8 })(handler), 40));
  assert.deepEqual(new Set(statuses), new Set([200]));
  assert.equal(log.length, 41);
  assert.equal(log.filter(({ at }) => at === 0).length, 8);
  assert.deepEqual(
    log.filter(({ at }) => at > 0 && at < 3_010),
    [],
  );
  // 1, 2, 4 in flight up to half of what was too much, then one more each time; never beyond the limit.
  const begun = [0, 1, 2, 3, 4].map((nth) => log.filter(({ at }) => at === 3_010 + nth * 10).length);
  assert.deepEqual(begun, [1, 2, 4, 5, 6]);
  assert.ok(log.every(({ parallel }) => parallel <= 8));
});

test("a window of 100 requests in 2 seconds: 300 end well, and none begins while we are to wait", async () => {
  const clock = fakeClock();
  let [windowStart, used] = [0, 0];
  const { handler, log } = registry(clock, (_, now) => {
    if (now - windowStart >= 2_000) [windowStart, used] = [now, 0];
    return ++used <= 100 ? [200] : limited(String(Math.ceil((windowStart + 2_000 - now) / 1_000)));
  });
  const statuses = await clock.run(many(budget({ clock })(handler), 300));
  assert.deepEqual(statuses, Array(300).fill(200));
  const refused = log.filter(({ status }) => status === 429);
  assert.ok(refused.length > 0);
  for (const { answeredAt } of refused)
    assert.deepEqual(
      log.filter(({ at }) => at > answeredAt && at < answeredAt + 1_000),
      [],
    );
});

test("who comes meanwhile waits, who was told 429 keeps its place in the queue", async () => {
  const clock = fakeClock();
  const order: string[] = [];
  let first = true;
  const send = budget({ clock })(async ({ target }) => {
    order.push(target);
    if (!first) return answer(200);
    first = false;
    return answer(...limited("5"));
  });
  const early = send({ ...get, target: "early" });
  await clock.advance(100);
  const late = send({ ...get, target: "late" });
  await clock.advance(4_000);
  assert.deepEqual(order, ["early"]);
  await clock.run(Promise.all([early, late]));
  assert.deepEqual(order, ["early", "early", "late"]);
});

test("where nothing is said the waits grow, and begin anew after a good answer", async () => {
  const clock = fakeClock();
  const start = clock.now();
  const { handler, log } = registry(clock, (nth) => ([1, 2, 3, 5].includes(nth) ? [429] : [200]), 0);
  const send = budget({ clock })(handler);
  await clock.run(send(get));
  await clock.run(send(get));
  assert.deepEqual(
    log.map(({ at }) => at),
    [0, 750, 2_250, 5_250, 5_250, 6_000],
  );
  assert.equal(clock.now() - start, 6_000);
});

test("a limit that lasts too long is an error that says how long", async () => {
  const tooLong = (error: unknown) =>
    isDrayError(error, "RATE_LIMITED") &&
    error.retryAfter === 21_600 &&
    error.registry === "r.example" &&
    error.remedy === "raise-max-wait";
  const clock = fakeClock();
  const start = clock.now();
  const { handler, log } = registry(clock, () => limited("21600"));
  const send = budget({ clock, concurrency: 1 })(handler);
  const outcomes = await clock.run(Promise.allSettled([send(get), send(get), send(get)]));
  assert.ok(outcomes.every((outcome) => outcome.status === "rejected" && tooLong(outcome.reason)));
  assert.equal(log.length, 1);
  await assert.rejects(send(get), (error) => isDrayError(error, "RATE_LIMITED"));
  assert.equal(log.length, 1);
  assert.equal(clock.now() - start, 10);
});

test("being told again and again counts from the first time", async () => {
  const clock = fakeClock();
  const start = clock.now();
  const { handler } = registry(clock, () => limited("60"), 0);
  await assert.rejects(clock.run(budget({ clock, maxWait: 300_000 })(handler)(get)), (error) =>
    isDrayError(error, "RATE_LIMITED"),
  );
  assert.equal(clock.now() - start, 300_000);
});

test("a 503 that names a time stops everyone, too, and is the caller's to repeat", async () => {
  const clock = fakeClock();
  const { handler, log } = registry(clock, (nth) => (nth === 1 ? [503, [["Retry-After", "4"]]] : [200]), 0);
  const send = budget({ clock })(handler);
  assert.equal((await clock.run(send(get))).status, 503);
  await clock.run(send(get));
  assert.deepEqual(
    log.map(({ at }) => at),
    [0, 4_000],
  );

  const unnamed = registry(clock, (nth) => (nth === 1 ? [503] : [200]), 0);
  const other = budget({ clock })(unnamed.handler);
  await clock.run(other(get));
  await clock.run(other(get));
  assert.deepEqual(
    unnamed.log.map(({ at }) => at),
    [0, 0],
  );
});

test("what cannot be sent again is given back, and the next waits all the same", async () => {
  const table: readonly [string, Partial<HttpRequest>][] = [
    ["a body", { method: "PUT", body: bytesBody(Buffer.from("x")) }],
    ["not repeatable", { method: "PATCH", body: bytesContent(Buffer.from("x")), context: { repeatable: false } }],
    ["a probe", { context: { retry: false } }],
  ];
  for (const [name, request] of table) {
    const clock = fakeClock();
    const { handler, log } = registry(clock, (nth) => (nth === 1 ? limited("2") : [200]), 0);
    const send = budget({ clock })(handler);
    assert.equal((await clock.run(send({ ...get, ...request }))).status, 429, name);
    await clock.run(send(get));
    assert.deepEqual(
      log.map(({ at }) => at),
      [0, 2_000],
      name,
    );
  }
});

test("little left slows down, nothing left waits for a limit that is whole again soon", async () => {
  const inFlight = async (headers: HeaderPairs, options: BudgetOptions = {}) => {
    const clock = fakeClock();
    const { handler, log } = registry(clock, () => [200, headers]);
    const send = budget({ clock, concurrency: 8, ...options })(handler);
    await clock.run(send(get));
    const begin = log.length;
    await clock.run(many(send, 8));
    return { most: Math.max(...log.slice(begin).map(({ parallel }) => parallel)), from: log[begin]?.at };
  };
  assert.deepEqual(await inFlight([["RateLimit-Remaining", "76;w=21600"]]), { most: 8, from: 10 });
  assert.deepEqual(await inFlight([["RateLimit-Remaining", "3;w=21600"]]), { most: 3, from: 10 });
  assert.deepEqual(await inFlight([["RateLimit-Remaining", "0;w=21600"]]), { most: 1, from: 10 });
  const soon: HeaderPairs = [
    ["RateLimit-Remaining", "0"],
    ["RateLimit-Reset", "30"],
  ];
  assert.equal((await inFlight(soon)).from, 30_010);
  const late: HeaderPairs = [
    ["RateLimit-Remaining", "0"],
    ["RateLimit-Reset", "3600"],
  ];
  assert.deepEqual(await inFlight(late), { most: 1, from: 10 });
});

test("a permit ends with the headers, or with a failure, or when a large body is asked for", async () => {
  const clock = fakeClock();
  const waiting: HttpRequest[] = [];
  const send = budget({ clock, concurrency: 1 })(async (request) => {
    waiting.push(request);
    if (request.target === "fails") throw new DrayError("NETWORK", "cut");
    if (request.target === "slow") await clock.sleep(1_000);
    return answer(200);
  });
  const large = send({
    ...get,
    method: "PUT",
    target: "slow",
    body: { size: 1 << 20, open: () => bytesBody(new Uint8Array()).chunks },
  });
  const next = send({ ...get, target: "fails" });
  await clock.advance(1);
  assert.equal(waiting.length, 1);
  const { body } = waiting[0] as HttpRequest;
  assert.ok(body !== undefined && "open" in body && body.size === 1 << 20);
  body.open();
  await assert.rejects(next, (error) => isDrayError(error, "NETWORK"));
  assert.equal((await send(get)).status, 200);
  assert.equal((await clock.run(large)).status, 200);

  const small = send({ ...get, method: "PUT", target: "slow", body: bytesContent(Buffer.from("x")) });
  const after = send(get);
  await clock.advance(1);
  const { body: watched } = waiting[3] as HttpRequest;
  assert.ok(watched !== undefined && "open" in watched);
  watched.open();
  await clock.advance(900);
  assert.equal(waiting.length, 4);
  await clock.run(Promise.all([small, after]));
  assert.equal(waiting.length, 5);
});

test("registries do not wait for each other, identities decide", async () => {
  const clock = fakeClock();
  const targets: string[] = [];
  const handler: Handler = async ({ origin, target }) => {
    targets.push(origin + target);
    return targets.length === 1 ? answer(...limited("5")) : answer(200);
  };
  const send = budget({ clock })(handler);
  const first = send(get);
  await clock.advance(1);
  await send({ ...get, origin: "https://other.example", target: "/" });
  assert.equal(targets.at(-1), "https://other.example/");
  await clock.run(first);

  targets.length = 0;
  const shared = budget({ clock, identity: () => "one account" })(handler);
  const limitedOne = shared(get);
  await clock.advance(1);
  const other = shared({ ...get, origin: "https://other.example", target: "/" });
  await clock.advance(1_000);
  assert.equal(targets.length, 1);
  await clock.run(Promise.all([limitedOne, other]));
});

test("it is told once when a registry limits us", async () => {
  const clock = fakeClock();
  const events: ProgressEvent[] = [];
  const { handler } = registry(clock, (nth) => (nth <= 4 ? limited("3") : [200]));
  const context = { onEvent: (event: ProgressEvent) => events.push(event) };
  await clock.run(many(budget({ clock, concurrency: 4 })(handler), 4, { ...get, context }));
  assert.deepEqual(events, [{ type: "throttled", registry: "r.example", delay: 3_000 }]);

  // Nobody goes on in an hour: the error says all there is to say.
  const impatient = registry(clock, () => limited("3600"));
  const send = budget({ clock, maxWait: 1_000 })(impatient.handler);
  await assert.rejects(clock.run(send({ ...get, context })), (error) => isDrayError(error, "RATE_LIMITED"));
  assert.equal(events.length, 1);
});

test("a wait can be given up, and nothing is left asleep", async () => {
  const clock = fakeClock();
  const cancel = new AbortController();
  const { handler, log } = registry(clock, () => limited("60"), 0);
  const send = budget({ clock })(handler);
  const waits = [send({ ...get, signal: cancel.signal }), send({ ...get, signal: cancel.signal })];
  await clock.advance(100);
  assert.equal(clock.sleeping, 1);
  cancel.abort();
  for (const wait of waits) await assert.rejects(wait, (error) => isDrayError(error, "ABORTED"));
  await clock.advance(0);
  assert.equal(clock.sleeping, 0);
  await assert.rejects(send({ ...get, signal: cancel.signal }), (error) => isDrayError(error, "ABORTED"));
  assert.equal(log.length, 2);
});

test("against a listening server: 300 requests, 100 to a window, and none begins while we are to wait", async () => {
  const clock = fakeClock();
  let [left, arrivals, refusals] = [100, 0, 0];
  const server = createServer((_, response) => {
    arrivals++;
    if (left-- > 0) response.end("ok");
    else response.writeHead(429, { "Retry-After": "2" }).end("later");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const wire = connection({ proxy: false });
  try {
    const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    let [inFlight, waiting] = [0, false];
    const send = budget({ clock })(async (request) => {
      assert.equal(waiting, false, "a request began while we were to wait");
      inFlight++;
      try {
        const response = await wire(request);
        // Whoever was let through in the same pass of the event loop had begun.
        if (response.status === 429) setImmediate(() => void (waiting = true));
        return response;
      } finally {
        inFlight--;
      }
    });
    let done = false;
    const work = Promise.all(
      Array.from({ length: 300 }, async () => {
        const response = await send({ ...get, origin });
        await response.body.discard();
        return response.status;
      }),
    ).finally(() => void (done = true));
    while (!done) {
      await new Promise((resolve) => setTimeout(resolve, 1));
      if (inFlight > 0 || clock.sleeping === 0) continue;
      refusals++;
      const before = arrivals;
      await clock.advance(1_999);
      assert.equal(arrivals, before);
      [left, waiting] = [100, false];
      await clock.advance(1);
    }
    assert.deepEqual(await work, Array(300).fill(200));
    assert.equal(refusals, 2);
  } finally {
    await wire.close();
    await new Promise((resolve) => server.close(resolve));
  }
});

test("what a registry says with a 503 is told in its words, and is no limit of ours", async () => {
  const clock = fakeClock();
  const events: ProgressEvent[] = [];
  const said = JSON.stringify({ errors: [{ code: "UNAVAILABLE", message: "the registry's disk is nearly full" }] });
  const handler: Handler = async () => ({
    status: 503,
    headers: [["Retry-After", "60"]],
    url: "https://r.example/",
    body: bytesBody(Buffer.from(said)),
  });
  const send = budget({ clock, maxWait: 100_000 })(handler);
  const context = { onEvent: (event: ProgressEvent) => events.push(event) };
  const first = await clock.run(send({ ...get, context }));
  assert.equal(Buffer.concat(await Array.fromAsync(first.body.chunks)).toString(), said);
  const reason = "r.example answered 503: UNAVAILABLE: the registry's disk is nearly full";
  assert.deepEqual(events, [{ type: "throttled", registry: "r.example", delay: 60_000, reason }]);
  await clock.run(send(get));
  await assert.rejects(clock.run(send(get)), (error) => {
    assert.ok(isDrayError(error, "REGISTRY"));
    assert.deepEqual(
      [error.status, error.registryCode, error.remedy, error.retryable],
      [503, "UNAVAILABLE", "raise-max-wait", false],
    );
    assert.equal(error.message, `${reason}; it wants us to wait 60 s more, and we may wait 100 s in all`);
    return true;
  });
});

/** How many requests go at a time, wave after wave, to a registry that answers all of a wave together. */
const waves = async (
  count: number,
  {
    answers,
    took = () => 10,
    concurrency,
  }: {
    answers?: (at: number, inFlight: number) => Error | undefined;
    took?: (wave: number) => number;
    concurrency?: number;
  } = {},
): Promise<number[]> => {
  const clock = fakeClock();
  const seen: number[] = [];
  let [at, wave] = [-1, -1];
  const send = budget(concurrency === undefined ? { clock } : { clock, concurrency })(async (request) => {
    if (clock.now() !== at) [at, wave] = [clock.now(), wave + 1];
    seen[wave] = (seen[wave] ?? 0) + 1;
    const mine = wave;
    await clock.sleep(took(mine));
    const error = answers?.(mine, seen[mine] as number);
    if (error !== undefined) throw error;
    return answer(200, [], request.origin);
  });
  await clock.run(Promise.allSettled(Array.from({ length: count }, () => send(get))));
  return seen;
};
const cut = (host = "r.example"): DrayError => new DrayError("NETWORK", "the connection was cut", { registry: host });

test("eight go at first, and more with each good answer, up to the most", async () => {
  assert.deepEqual(await waves(200), [8, 16, 32, 32, 32, 32, 32, 16]);
  assert.deepEqual(await waves(40, { concurrency: 12 }), [8, 12, 12, 8]);
  assert.deepEqual(await waves(5, { concurrency: 2 }), [2, 2, 1]);
});

test("a connection that is refused or closed halves them at once, and from there on one more is tried for a whole wave", async () => {
  const begun = await waves(120, { answers: (wave) => (wave === 2 ? cut() : undefined) });
  assert.deepEqual(begun, [8, 16, 32, 16, 17, 18, 19, 20, 6]);
  // For a minute there are fewer than were too many, however well it answers.
  const first = (wave: number): Error | undefined => (wave === 1 ? cut() : undefined);
  assert.deepEqual(await waves(150, { answers: first }), [8, 16, 8, 9, 10, 11, 12, 12, 12, 12, 12, 12, 12, 12, 8]);
  assert.equal(Math.max(...(await waves(900, { answers: first, took: () => 5_000 }))), 32);
  // What is cut elsewhere, such as the source of a body, says nothing of this registry.
  assert.deepEqual(
    await waves(56, { answers: (wave) => (wave === 1 ? cut("other.example") : undefined) }),
    [8, 16, 16, 16],
  );
});

test("one alone that is cut was not too many: those that follow go side by side", async () => {
  const clock = fakeClock();
  const { handler, log } = registry(clock, () => [200]);
  let cuts = 1;
  const send = budget({ clock })((request) => (cuts-- > 0 ? Promise.reject(cut()) : handler(request)));
  await assert.rejects(send(get));
  await clock.run(many(send, 100));
  assert.equal(log[7]?.parallel, 8);
});

test("a registry that lets in twelve connections is asked for few more, and never for long", async () => {
  let [open, refused] = [0, 0];
  const clock = fakeClock();
  const send = budget({ clock })(async () => {
    if (open >= 12) {
      refused++;
      throw cut();
    }
    open++;
    await clock.sleep(10);
    open--;
    return answer(200);
  });
  // Who was refused waits for one of those that were not, and its caller hears nothing of it.
  assert.deepEqual(new Set(await clock.run(many(send, 400))), new Set([200]));
  assert.ok(refused < 400 / 20, `${refused} of 400 were refused`);
});

test("a registry that is not there is told of at once, and so is a body that cannot be sent again", async () => {
  const clock = fakeClock();
  let asked = 0;
  const nobody = budget({ clock })(async () => {
    asked++;
    throw cut();
  });
  await assert.rejects(nobody(get), /was cut/);
  assert.equal(asked, 1);
  const once = budget({ clock })(async ({ method }) => {
    asked++;
    if (method === "PUT") throw cut();
    return answer(200);
  });
  await once(get);
  await assert.rejects(once({ ...get, method: "PUT", context: { repeatable: false } }), /was cut/);
  assert.equal(asked, 3);
  // What answers others and never this one is the caller's to repeat.
  await assert.rejects(once({ ...get, method: "PUT" }), /was cut/);
  assert.equal(asked, 7);
});

test("answers that slow down take a quarter of them, and leave eight", async () => {
  const begun = await waves(400, { took: (wave) => (wave >= 3 ? 1_000 : 10) });
  assert.deepEqual(begun.slice(0, 6), [8, 16, 32, 32, 24, 25]);
  // Again and again, and never below eight.
  const worse = await waves(400, { took: (wave) => 10 * 10 ** wave });
  assert.ok(Math.min(...worse.slice(0, -1)) >= 8);
  // What is always slow is as fast as it is.
  assert.deepEqual((await waves(120, { took: () => 5_000 })).slice(0, 4), [8, 16, 32, 32]);
});

test("connections for requests that wait are opened ahead: none before the first answer, never more than permits will be, none once it was too much", async () => {
  const clock = fakeClock();
  const { handler, log } = registry(clock, () => [200]);
  const totals: number[] = [];
  const limiter = budget({ clock, concurrency: 20 }, (origin, total) => {
    assert.equal(origin, get.origin);
    totals.push(total);
  });
  const send = limiter(handler);
  limiter.expect(get.origin, 40);
  const first = send(get);
  limiter.expect(get.origin, 40);
  await clock.run(first);
  assert.deepEqual(totals, []);
  limiter.expect(get.origin, 3);
  limiter.expect(get.origin, 40);
  // Eight, and one more for the first answer.
  assert.deepEqual(totals.splice(0), [3, 9]);
  await clock.run(many(send, 9));
  assert.deepEqual(totals.splice(0), [], "nobody waited");
  await clock.run(many(send, 60));
  assert.ok(totals.length > 0);
  assert.equal(Math.max(...totals.splice(0)), 20);
  assert.equal(Math.max(...log.map(({ parallel }) => parallel)), 20);
  for (const tooMuch of [limited("1"), [503, [["Retry-After", "1"]]] as const]) {
    const strict = registry(clock, (nth) => (nth === 2 ? tooMuch : [200]));
    const after: number[] = [];
    const careful = budget({ clock }, (_, total) => after.push(total));
    const request = careful(strict.handler);
    await clock.run(request(get).then(() => request(get)));
    await clock.run(many(request, 40));
    careful.expect(get.origin, 40);
    assert.deepEqual(after, []);
  }
});

test("a connection that was refused ahead of its time lets no more through than are on their way", async () => {
  const clock = fakeClock();
  const { handler, log } = registry(clock, () => [200]);
  let hear: (() => void) | undefined;
  const limiter = budget({ clock }, (_, __, refused) => (hear ??= refused));
  const send = limiter(handler);
  await clock.run(send(get));
  const all = many(send, 60);
  hear?.();
  assert.deepEqual(new Set(await clock.run(all)), new Set([200]));
  assert.equal(Math.max(...log.map(({ parallel }) => parallel)), 9);
});
