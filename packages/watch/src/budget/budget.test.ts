import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { fakeClock } from "@dray/testkit";
import { bytesBody } from "dray/content";
import { isDrayError } from "dray/errors";
import type { Handler, HeaderPairs } from "dray/http";
import { openFile } from "../file/index.ts";
import { Budget, Budgets, budgetTables, withinBudget } from "./index.ts";

const minute = 60_000;
const hour = 60 * minute;

/** Budgets on a file of their own, and a registry that answers as `reply` says. */
const scene = async (
  reply: (target: string, method: string) => readonly [status: number, headers?: HeaderPairs],
  reserve = 0,
) => {
  const clock = fakeClock();
  const file = await openFile(":memory:", { rooms: [budgetTables] });
  let budgets = new Budgets(file.statements, { reserve });
  const asked: { readonly at: number; readonly method: string }[] = [];
  let [together, most] = [0, 0];
  const began = clock.now();
  const registry: Handler = async ({ target, method }) => {
    asked.push({ at: clock.now() - began, method });
    most = Math.max(most, ++together);
    await clock.sleep(10);
    together--;
    const [status, headers = []] = reply(target, method);
    return { status, headers, url: target, body: bytesBody(new Uint8Array()) };
  };
  const ask = (
    options: { registry?: string; method?: string; maxWait?: number; identity?: string; target?: string } = {},
  ) => {
    const {
      registry: name = "docker.io",
      method = "GET",
      maxWait,
      identity,
      target = "/v2/library/app/manifests/1",
    } = options;
    const send = withinBudget(budgets.of({ registry: name, identity }), { clock, maxWait })(registry);
    return clock.run(send({ method, origin: "https://r.test", target, headers: [] }));
  };
  const restart = async (): Promise<void> => {
    await file.write((statements) => budgets.save(statements));
    budgets = new Budgets(file.statements, { reserve });
  };
  return {
    clock,
    asked,
    ask,
    restart,
    limits: () => budgets.limits(clock.now()),
    most: () => most,
    budgets: () => budgets,
  };
};

const refused = (seconds?: number) => (error: unknown) =>
  isDrayError(error, "RATE_LIMITED") && (seconds === undefined || error.retryAfter === seconds);

describe("a limit that a registry tells", () => {
  const telling =
    (left: () => number): ((target: string, method: string) => readonly [number, HeaderPairs]) =>
    () => [
      200,
      [
        ["RateLimit-Limit", "100;w=21600"],
        ["RateLimit-Remaining", `${left()};w=21600`],
        ["Docker-RateLimit-Source", "192.0.2.1"],
      ],
    ];

  test("is kept to, less what is reserved; what is free goes on, and tells when more is left", async () => {
    let left = 32;
    const { ask, clock, asked, limits } = await scene(
      telling(() => left),
      0.3,
    );
    await ask();
    left = 31;
    await ask();
    left = 30;
    await ask();
    await assert.rejects(ask(), refused(60));
    await ask({ method: "HEAD" });
    assert.equal(asked.length, 4);
    await clock.advance(minute);
    left = 50;
    await ask({ method: "HEAD" });
    await ask();
    assert.deepEqual(limits(), [
      {
        registry: "docker.io",
        identity: "",
        limit: 100,
        reserved: 30,
        remaining: 50,
        asOf: new Date(clock.now()).toISOString(),
        windowSeconds: 21_600,
        source: "192.0.2.1",
      },
    ]);
  });

  test("holds for requests under way, which have not been told yet", async () => {
    const { budgets, clock, ask } = await scene(
      telling(() => 33),
      0.3,
    );
    await ask();
    const budget = budgets().of({ registry: "docker.io" });
    const leaves = [1, 2, 3, 4].map(() => "until" in budget.leave(true, clock.now()));
    assert.deepEqual(leaves, [false, false, false, true]);
  });

  test("is over when its window is, or when the registry said it would be", async () => {
    const windowed = await scene(telling(() => 0));
    await windowed.ask();
    await assert.rejects(windowed.ask(), refused());
    await windowed.clock.advance(6 * hour);
    await windowed.ask();
    const reset = await scene(() => [
      200,
      [
        ["RateLimit-Remaining", "0"],
        ["RateLimit-Reset", "300"],
      ],
    ]);
    await reset.ask({ registry: "r.test" });
    await assert.rejects(reset.ask({ registry: "r.test" }), refused(300));
    await reset.clock.advance(5 * minute);
    await reset.ask({ registry: "r.test" });
  });

  test("is each identity's own, and each registry's", async () => {
    const { ask } = await scene(telling(() => 0));
    await ask();
    await assert.rejects(ask(), refused());
    await ask({ identity: "ann" });
    await ask({ registry: "ghcr.io" });
    await assert.rejects(ask({ registry: "ghcr.io", method: "HEAD" }), refused(), "others count every request");
  });
});

describe("a registry that says too many", () => {
  test("is asked when it says, between a second and a day", async () => {
    for (const [said, seconds] of [
      ["120", 120],
      ["0", 1],
      ["0.0001", 1],
      ["9999999", 86_400],
    ] as const) {
      const { ask, asked, limits, clock } = await scene(() => [429, [["Retry-After", said]]]);
      await ask();
      await assert.rejects(
        ask({ method: "HEAD" }),
        (error) => isDrayError(error, "RATE_LIMITED") && Math.abs((error.retryAfter ?? 0) - seconds) <= 1,
        said,
      );
      assert.equal(asked.length, 1);
      assert.equal(limits()[0]?.limitedUntil, new Date(clock.now() + seconds * 1000).toISOString(), said);
    }
  });

  test("and never for how long is asked a few times in a day, and as before when that is over", async () => {
    let limited = true;
    const { ask, asked, clock, limits } = await scene(() => [limited ? 429 : 200]);
    const day = async (hours: number): Promise<number> => {
      const [end, before] = [clock.now() + hours * hour, asked.length];
      while (clock.now() < end) {
        await ask().catch(() => undefined);
        await clock.advance(minute);
      }
      return asked.length - before;
    };
    const times = await day(24);
    assert.ok(times > 3 && times < 20, `${times} requests`);
    limited = false;
    await clock.advance(7 * hour);
    await ask();
    assert.equal(await day(1), 60);
    await day(8);
    assert.equal(limits()[0]?.refusals, undefined);
  });

  test("to many at once has said it once, and one asks first afterwards", async () => {
    let limited = true;
    const { ask, clock, limits, asked, most } = await scene(() => [
      limited ? 429 : 200,
      limited ? [["Retry-After", "2"]] : [],
    ]);
    await Promise.all(Array.from({ length: 8 }, () => ask()));
    assert.equal(limits()[0]?.refusals, 1);
    assert.equal(most(), 8);
    limited = false;
    const before = asked.length;
    await Promise.all(Array.from({ length: 8 }, () => ask({ maxWait: minute })));
    const [probe, ...others] = asked.slice(before);
    assert.ok(
      others.every(({ at }) => at > (probe?.at ?? 0)),
      "one goes first",
    );
    assert.ok(clock.now() > 0);
  });

  test("keeps its word over a restart, and over a clock that is set back", async () => {
    const { ask, clock, restart, asked } = await scene(() => [429, [["Retry-After", "600"]]]);
    await ask();
    await restart();
    await assert.rejects(
      ask(),
      (error) => isDrayError(error, "RATE_LIMITED") && (error.retryAfter ?? 0) <= 600 && (error.retryAfter ?? 0) > 590,
    );
    const budget = (await scene(() => [200])).budgets().of({ registry: "docker.io" });
    const now = clock.now();
    budget.refused(now, 600_000, now);
    const back = budget.leave(false, now - 30 * 24 * hour);
    assert.deepEqual(back, { until: now - 30 * 24 * hour + 600_000 }, "no longer than it was said");
    assert.equal(asked.length, 1);
  });

  test("keeps token services and storage waiting for nothing", async () => {
    const { ask, asked } = await scene(() => [429, [["Retry-After", "600"]]]);
    await ask();
    await ask({ target: "/token?scope=repository:app:pull" });
    assert.equal(asked.length, 2);
  });

  test("by 503 is left alone for as long as it says, and is no more careful for it", async () => {
    const { ask, limits } = await scene(() => [503, [["Retry-After", "30"]]]);
    await ask();
    await assert.rejects(ask(), refused(30));
    assert.equal(limits()[0]?.refusals, undefined);
  });
});

test("a reserve that is no share is refused", async () => {
  const file = await openFile(":memory:", { rooms: [budgetTables] });
  for (const reserve of [-0.1, 1.5, Number.NaN, 30])
    assert.throws(
      () => new Budgets(file.statements, { reserve }),
      (error) => isDrayError(error, "USAGE"),
    );
});

test("a limit that is said to be whole again in years is asked for the next day", () => {
  const [now, day] = [Date.UTC(2026, 2, 1), 86_400_000];
  for (const [name, value] of [
    ["RateLimit-Reset", "999999999"],
    ["RateLimit-Reset", "999999999999999"],
    ["RateLimit-Limit", "10;w=999999999999999"],
  ] as const) {
    const budget = new Budget("ghcr.io", "");
    const leave = budget.leave(true, now);
    assert.ok("began" in leave);
    budget.answered(
      leave,
      {
        status: 200,
        headers: [
          ["RateLimit-Remaining", "0"],
          [name, value],
        ],
      },
      now,
    );
    const refused = budget.leave(true, now + 1000);
    assert.ok("until" in refused && refused.until <= now + day, value);
    assert.ok("began" in budget.leave(true, now + day), value);
    JSON.stringify(budget.limits(now));
  }
});
