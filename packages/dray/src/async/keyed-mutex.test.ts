import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import fc from "fast-check";
import { KeyedMutex } from "./keyed-mutex.ts";

describe("KeyedMutex", () => {
  it("runs one at a time for each key, in order of arrival, and other keys beside it", async () => {
    const task = fc.record({ key: fc.constantFrom("a", "b", "c"), turns: fc.nat({ max: 3 }), fails: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(fc.array(task, { maxLength: 20 }), async (tasks) => {
        const lock = new KeyedMutex();
        const running = new Map<string, number>();
        const order = new Map<string, number[]>();
        const results = await Promise.allSettled(
          tasks.map(({ key, turns, fails }, number) =>
            lock.run(key, async () => {
              assert.equal(running.get(key), undefined);
              running.set(key, number);
              order.set(key, [...(order.get(key) ?? []), number]);
              for (let i = 0; i < turns; i++) await turn();
              running.delete(key);
              if (fails) throw new Error(`${number} fails`);
              return number;
            }),
          ),
        );
        assert.deepEqual(
          results.map((result) => (result.status === "fulfilled" ? result.value : "failed")),
          tasks.map(({ fails }, number) => (fails ? "failed" : number)),
        );
        for (const numbers of order.values())
          assert.deepEqual(
            numbers,
            [...numbers].sort((a, b) => a - b),
          );
      }),
      { numRuns: 100 },
    );
  });

  it("does not keep one key waiting for another", async () => {
    const lock = new KeyedMutex();
    const { promise, resolve } = Promise.withResolvers<void>();
    const first = lock.run("a", () => promise);
    assert.equal(await lock.run("b", async () => "done"), "done");
    resolve();
    await first;
  });

  it("goes on behind work that throws before it waits", async () => {
    const lock = new KeyedMutex();
    const throws = lock.run("a", () => {
      throw new Error("at once");
    });
    const next = lock.run("a", async () => "next");
    await assert.rejects(throws, /at once/);
    assert.equal(await next, "next");
  });
});
