import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import fc from "fast-check";
import { KeyedRwLock } from "./keyed-rw-lock.ts";

/** Somebody who wants digests, gets them at some time, and gives them back when told to. */
class Holder {
  state: "waiting" | "holding" | "done" = "waiting";
  readonly shared: readonly string[];
  readonly exclusive: readonly string[];
  readonly #end = Promise.withResolvers<void>();
  readonly #ended: Promise<void>;

  constructor(locks: KeyedRwLock, shared: readonly string[], exclusive: readonly string[]) {
    this.shared = shared.filter((name) => !exclusive.includes(name));
    this.exclusive = exclusive;
    this.#ended = locks.hold({ shared, exclusive }, async () => {
      this.state = "holding";
      await this.#end.promise;
      this.state = "done";
    });
  }

  async release(): Promise<void> {
    this.#end.resolve();
    await this.#ended;
  }
}

const names = ["sha256:a", "sha256:b", "sha256:c", "sha256:d"];
const some = fc.uniqueArray(fc.constantFrom(...names), { maxLength: 3 });
/** Either somebody comes, or one of those that hold something lets go. */
const step = fc.oneof(fc.record({ shared: some, exclusive: some }), fc.record({ release: fc.nat({ max: 20 }) }));

const holding = (holders: readonly Holder[]): Holder[] => holders.filter(({ state }) => state === "holding");

const assertApart = (holders: readonly Holder[]): void => {
  for (const name of names) {
    const now = holding(holders);
    const alone = now.filter(({ exclusive }) => exclusive.includes(name)).length;
    const together = now.filter(({ shared }) => shared.includes(name)).length;
    assert.ok(alone === 0 || (alone === 1 && together === 0), `${name}: ${alone} exclusive, ${together} shared`);
  }
};

describe("KeyedRwLock", () => {
  it("never lets anybody in beside an exclusive holder, and everybody in at some time", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
        const locks = new KeyedRwLock();
        const holders: Holder[] = [];
        for (const next of steps) {
          if ("release" in next) {
            const now = holding(holders);
            await now[next.release % Math.max(1, now.length)]?.release();
          } else holders.push(new Holder(locks, next.shared, next.exclusive));
          await turn();
          assertApart(holders);
        }
        while (holders.some(({ state }) => state !== "done")) {
          const [first] = holding(holders);
          assert.ok(first !== undefined, "everybody waits for somebody");
          await first.release();
          await turn();
          assertApart(holders);
        }
        assert.equal(locks.size, 0);
      }),
      { numRuns: 300 },
    );
  });

  it("serves one digest in order of arrival, those who share it together", async () => {
    const arrivals = fc.array(fc.oneof(fc.constantFrom("shared", "exclusive"), fc.nat({ max: 20 })), { maxLength: 30 });
    await fc.assert(
      fc.asyncProperty(arrivals, async (steps) => {
        const locks = new KeyedRwLock();
        const holders: Holder[] = [];
        for (const next of steps) {
          if (next === "shared") holders.push(new Holder(locks, ["sha256:a"], []));
          else if (next === "exclusive") holders.push(new Holder(locks, [], ["sha256:a"]));
          else {
            const now = holding(holders);
            await now[(next as number) % Math.max(1, now.length)]?.release();
          }
          await turn();
          assert.deepEqual(holding(holders), front(holders));
        }
        for (const holder of holders) await holder.release();
        assert.equal(locks.size, 0);
      }),
      { numRuns: 300 },
    );
  });

  it("makes whoever comes later wait behind an exclusive one that waits", async () => {
    const locks = new KeyedRwLock();
    const reader = new Holder(locks, ["sha256:a"], []);
    const sweep = new Holder(locks, [], ["sha256:a"]);
    const later = new Holder(locks, ["sha256:a"], []);
    await turn();
    assert.deepEqual([reader.state, sweep.state, later.state], ["holding", "waiting", "waiting"]);
    await reader.release();
    await turn();
    assert.deepEqual([sweep.state, later.state], ["holding", "waiting"]);
    await sweep.release();
    await turn();
    assert.equal(later.state, "holding");
    await later.release();
  });

  it("holds exclusively what is in both lists, and each once", async () => {
    const locks = new KeyedRwLock();
    const both = new Holder(locks, ["sha256:a", "sha256:a", "sha256:b"], ["sha256:a", "sha256:a"]);
    const other = new Holder(locks, ["sha256:a"], []);
    const beside = new Holder(locks, ["sha256:b"], []);
    await turn();
    assert.deepEqual([both.state, other.state, beside.state], ["holding", "waiting", "holding"]);
    for (const holder of [both, other, beside]) await holder.release();
    assert.equal(locks.size, 0);
  });

  it("gives everything back after work that fails, at once or later, and hands on what it resolves to", async () => {
    const locks = new KeyedRwLock();
    const wanted = { shared: ["sha256:a"], exclusive: ["sha256:b"] };
    const failed = new Error("failed");
    await assert.rejects(
      locks.hold(wanted, () => {
        throw failed;
      }),
      failed,
    );
    await assert.rejects(
      locks.hold(wanted, async () => {
        await turn();
        throw failed;
      }),
      failed,
    );
    assert.equal(locks.size, 0);
    assert.equal(await locks.hold({ exclusive: ["sha256:a", "sha256:b"] }, async () => 3), 3);
  });

  it("lets work without digests run at once", async () => {
    const locks = new KeyedRwLock();
    assert.equal(await locks.hold({}, async () => locks.size), 0);
  });
});

/** Who should hold the digest: the first that is not done, and all that share it behind, up to one that does not. */
const front = (holders: readonly Holder[]): Holder[] => {
  const left = holders.filter(({ state }) => state !== "done");
  const [first] = left;
  if (first === undefined || first.exclusive.length > 0) return left.slice(0, 1);
  const end = left.findIndex(({ exclusive }) => exclusive.length > 0);
  return left.slice(0, end < 0 ? left.length : end);
};
