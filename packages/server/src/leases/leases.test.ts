import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { digestOf } from "dray/oci";
import fc from "fast-check";
import { Leases } from "./leases.ts";

const [a, b] = [digestOf(new Uint8Array([1])), digestOf(new Uint8Array([2]))] as const;
const length = 100;

const setUp = () => {
  const clock = { now: 1000 };
  const uploading = new Set<string>();
  const leases = new Leases({ length, now: () => clock.now, uploading: (repository) => uploading.has(repository) });
  return { clock, uploading, leases };
};

describe("Leases", () => {
  it("hold for their time, in their repository and for anybody who asks of all", () => {
    const { clock, leases } = setUp();
    assert.equal(leases.holds(a), false);
    leases.record("one", a);
    clock.now += length - 1;
    assert.deepEqual([leases.holds(a), leases.holds(a, "one")], [true, true]);
    assert.deepEqual([leases.holds(a, "two"), leases.holds(b), leases.holds(b, "one")], [false, false, false]);
    clock.now += 1;
    assert.deepEqual([leases.holds(a), leases.holds(a, "one")], [false, false]);
  });

  it("begin anew with each promise", () => {
    const { clock, leases } = setUp();
    leases.record("one", a);
    clock.now += length - 1;
    leases.record("one", a);
    clock.now += length - 1;
    assert.equal(leases.holds(a, "one"), true);
  });

  it("hold for everything where there are too many to remember", () => {
    const clock = { now: 1000 };
    const leases = new Leases({ length, now: () => clock.now, uploading: () => false, most: 3 });
    const digests = Array.from({ length: 3 }, (_, i) => digestOf(new Uint8Array([i + 10])));
    for (const digest of digests) for (let i = 0; i < 2; i++) leases.record("one", digest);
    assert.equal(leases.holds(a), false);
    leases.record("two", a);
    assert.deepEqual(leases.repositories(a), []);
    clock.now += length - 1;
    for (const digest of [...digests, a, b])
      for (const repository of ["one", "two", undefined]) assert.equal(leases.holds(digest, repository), true);
    assert.equal(leases.lasting(10).holds(a), false);
    leases.record("three", b);
    clock.now += 1;
    assert.deepEqual([leases.holds(a), leases.holds(b), leases.holds(b, "three")], [false, true, true]);
    clock.now += length;
    for (const digest of digests) leases.record("one", digest);
    assert.deepEqual([leases.holds(a), leases.holds(b), leases.holds(digests[0] ?? a)], [false, false, true]);
  });

  it("last while an upload is open in the same repository", () => {
    const { clock, uploading, leases } = setUp();
    leases.record("one", a);
    leases.record("two", b);
    uploading.add("one");
    clock.now += 10 * length;
    assert.deepEqual([leases.holds(a, "one"), leases.holds(a), leases.holds(b)], [true, true, false]);
    // Also through what tidies up.
    leases.record("three", b);
    assert.equal(leases.holds(a, "one"), true);
    uploading.delete("one");
    assert.deepEqual([leases.holds(a, "one"), leases.holds(a)], [false, false]);
  });

  it("tell where a digest was promised", () => {
    const { leases } = setUp();
    assert.deepEqual(leases.repositories(a), []);
    leases.record("one", a);
    leases.record("two", a);
    leases.record("one", a);
    assert.deepEqual(leases.repositories(a).sort(), ["one", "two"]);
  });

  it("are forgotten after their time", () => {
    const { clock, leases } = setUp();
    leases.record("one", a);
    clock.now += 2 * length;
    leases.record("one", b);
    assert.deepEqual([leases.repositories(a), leases.repositories(b)], [[], ["one"]]);
  });

  it("forbid sweeping within one of them after the start, when older promises are not known", () => {
    const { clock, leases } = setUp();
    assert.equal(leases.sweepFrom, clock.now + length);
    clock.now += 50;
    assert.equal(leases.sweepFrom, 1000 + length);
  });

  it("may be looked at as if they were shorter, those given later among them", () => {
    const { clock, uploading, leases } = setUp();
    leases.record("one", a);
    const [shorter, none] = [leases.lasting(10), leases.lasting(0)];
    assert.deepEqual([shorter.sweepFrom, none.sweepFrom], [clock.now + 10, clock.now]);
    assert.deepEqual([shorter.holds(a), none.holds(a)], [true, false]);
    clock.now += 10;
    uploading.add("two");
    leases.record("two", b);
    assert.deepEqual([shorter.holds(a), leases.holds(a)], [false, true]);
    clock.now += 10;
    assert.deepEqual([shorter.holds(b), none.holds(b), leases.holds(b)], [true, false, true]);
    assert.equal(leases.lasting(2 * length), leases);
  });

  it("agree with a list of all promises ever made", () => {
    const event = fc.oneof(
      fc.record({ record: fc.constantFrom("one", "two"), digest: fc.constantFrom(a, b) }),
      fc.record({ wait: fc.nat({ max: 150 }) }),
      fc.record({ toggle: fc.constantFrom("one", "two") }),
    );
    fc.assert(
      fc.property(fc.array(event, { maxLength: 40 }), (events) => {
        const { clock, uploading, leases } = setUp();
        const ever: { repository: string; digest: string; at: number }[] = [];
        for (const next of events) {
          if ("wait" in next) clock.now += next.wait;
          else if ("toggle" in next) {
            if (!uploading.delete(next.toggle)) uploading.add(next.toggle);
          } else {
            leases.record(next.record, next.digest);
            ever.push({ repository: next.record, digest: next.digest, at: clock.now });
          }
          for (const digest of [a, b])
            for (const repository of ["one", "two"]) {
              const promises = ever.filter((promise) => promise.repository === repository && promise.digest === digest);
              if (promises.some(({ at }) => clock.now < at + length))
                assert.equal(leases.holds(digest, repository), true);
              // One that has ended may come back with an upload, or be forgotten: nobody may build on either.
              else if (promises.length === 0 || !uploading.has(repository))
                assert.equal(leases.holds(digest, repository), false);
            }
        }
      }),
    );
  });
});
