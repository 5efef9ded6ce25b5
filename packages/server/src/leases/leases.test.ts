import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Digest, digestOf } from "dray/oci";
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

  const digestsOf = (count: number, from = 0): Digest[] =>
    Array.from({ length: count }, (_, i) => digestOf(new TextEncoder().encode(`digest ${from + i}`)));
  const bounded = (most: number) => {
    const clock = { now: 1000 };
    const notices: string[] = [];
    const onNotice = (message: string): void => void notices.push(message);
    const leases = new Leases({
      length,
      now: () => clock.now,
      uploading: () => false,
      most,
      mostCoarse: 1000,
      onNotice,
    });
    return { clock, leases, notices };
  };

  it("are kept by their digests alone where there are more than fit, and nothing else is promised", () => {
    const { clock, leases, notices } = bounded(10);
    const digests = digestsOf(100);
    for (const [i, digest] of digests.entries()) leases.record("one", digest, `10.0.0.${i % 20}`);
    for (const digest of digests) assert.equal(leases.holds(digest, "one"), true);
    assert.deepEqual(
      digestsOf(1000, 5000).filter((digest) => leases.holds(digest)),
      [],
    );
    assert.equal(notices.length, 1);
    assert.match(notices[0] ?? "", /^clients were told of more than 10 blobs within one lease/);
    const [old, young] = [digests[0] as Digest, digests[99] as Digest];
    assert.deepEqual([leases.lasting(10).holds(old), leases.lasting(0).holds(old)], [true, false]);
    clock.now += length - 1;
    assert.deepEqual([leases.holds(old), leases.holds(young)], [true, true]);
    clock.now += 1;
    assert.deepEqual([leases.holds(old), leases.holds(young)], [false, false]);
  });

  it("of an address that has most of them are kept by their digests alone, too: it may be the proxy of all", () => {
    const { clock, leases, notices } = bounded(100);
    const mine = digestsOf(40);
    for (const digest of mine) leases.record("one", digest, "10.0.0.1");
    const flood = digestsOf(900, 1000);
    for (const digest of flood) leases.record("one", digest, "10.9.9.9");
    for (const digest of [...mine, ...flood]) assert.equal(leases.holds(digest, "one"), true);
    assert.deepEqual(leases.repositories(mine[0] as Digest), ["one"], "those of others are as they were");
    assert.equal(notices.length, 1);
    assert.match(notices[0] ?? "", /^clients were told of more than 100 blobs .*, most of them 10\.9\.9\.9: /);
    clock.now += length;
    assert.deepEqual(
      flood.filter((digest) => leases.holds(digest)),
      [],
    );
  });

  it("of an address that fills even that push out its own oldest, and nobody else's", () => {
    const { leases, notices } = bounded(100);
    const mine = digestsOf(40);
    for (const digest of mine) leases.record("one", digest, "10.0.0.1");
    const flood = digestsOf(10_000, 1000);
    for (const digest of flood) leases.record("one", digest, "10.9.9.9");
    for (const digest of mine) assert.equal(leases.holds(digest, "one"), true);
    const held = flood.filter((digest) => leases.holds(digest));
    assert.deepEqual(held, [...flood.slice(0, 1000), ...flood.slice(-60)]);
    assert.equal(leases.holds(digestsOf(1, 20_000)[0] as Digest), false);
    assert.equal(notices.length, 2);
    assert.match(
      notices[1] ?? "",
      /^10\.9\.9\.9 was told of .*its own oldest promises are dropped; .*dray\.trustedproxies/,
    );
  });

  it("to two who were told of the same are two promises", () => {
    const { leases } = bounded(4);
    leases.record("one", a, "10.0.0.1");
    leases.record("one", a, "10.9.9.9");
    for (const digest of digestsOf(100)) leases.record("one", digest, "10.9.9.9");
    assert.equal(leases.holds(a, "one"), true);
    assert.deepEqual(leases.repositories(a), ["one"]);
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

  it("that have ended go a few at a time, however many they are", () => {
    const { clock, leases } = setUp();
    const ended = digestsOf(1000);
    for (const digest of ended) leases.record("one", digest);
    clock.now += 2 * length;
    const left = (): number => ended.filter((digest) => leases.repositories(digest).length > 0).length;
    leases.record("two", a);
    assert.ok(left() > 900);
    for (const digest of digestsOf(100, 2000)) leases.record("two", digest);
    assert.equal(left(), 0);
  });

  it("forbid sweeping within one of them after the start, when older promises are not known", () => {
    const { clock, leases } = setUp();
    assert.equal(leases.wait, length);
    clock.now += length - 10;
    assert.equal(leases.wait, 10);
    clock.now += 20;
    assert.equal(leases.wait, 0);
  });

  it("may be looked at as if they were shorter, those given later among them", () => {
    const { clock, uploading, leases } = setUp();
    leases.record("one", a);
    const [shorter, none] = [leases.lasting(10), leases.lasting(0)];
    assert.deepEqual([shorter.wait, none.wait], [10, 0]);
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
