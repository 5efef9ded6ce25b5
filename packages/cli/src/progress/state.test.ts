import assert from "node:assert/strict";
import { test } from "node:test";
import type { ProgressEvent } from "dray/content";
import { type Descriptor, digestOf, mediaTypes } from "dray/oci";
import fc from "fast-check";
import { advance, bytesThrough, hasNoEnd, noProgress } from "./state.ts";

const blob = (name: string, size: number): Descriptor => ({
  mediaType: mediaTypes.ociLayerGzip,
  digest: digestOf(new TextEncoder().encode(name)),
  size,
});
const a = blob("a", 100);
const b = blob("b", 300);
const manifest = { ...blob("m", 50), mediaType: mediaTypes.ociManifest };

const after = (...events: ProgressEvent[]) => events.reduce(advance, noProgress);
const plan: ProgressEvent = { type: "plan", blobs: 2, bytes: 400 };

test("progress is the sum of what happened", () => {
  const rows: readonly [
    string,
    ProgressEvent[],
    { through: number; settled: number; fraction: number; moving: number },
  ][] = [
    ["nothing", [], { through: 0, settled: 0, fraction: 0, moving: 0 }],
    ["a plan", [plan], { through: 0, settled: 0, fraction: 0, moving: 0 }],
    [
      "a start",
      [plan, { type: "start", descriptor: a, offset: 0 }],
      { through: 0, settled: 0, fraction: 0, moving: 1 },
    ],
    [
      "bytes",
      [plan, { type: "start", descriptor: a, offset: 0 }, { type: "bytes", descriptor: a, bytes: 40 }],
      { through: 40, settled: 0, fraction: 0.1, moving: 1 },
    ],
    [
      "a resumed transfer begins where it stopped",
      [plan, { type: "start", descriptor: b, offset: 200 }, { type: "bytes", descriptor: b, bytes: 20 }],
      { through: 220, settled: 0, fraction: 0.55, moving: 1 },
    ],
    [
      "done",
      [
        plan,
        { type: "start", descriptor: a, offset: 0 },
        { type: "bytes", descriptor: a, bytes: 100 },
        { type: "done", descriptor: a },
      ],
      { through: 100, settled: 1, fraction: 0.25, moving: 0 },
    ],
    ["mounted", [plan, { type: "mounted", descriptor: b }], { through: 300, settled: 1, fraction: 0.75, moving: 0 }],
    ["skipped", [plan, { type: "skipped", descriptor: a }], { through: 100, settled: 1, fraction: 0.25, moving: 0 }],
    [
      "a manifest was never planned",
      [plan, { type: "skipped", descriptor: manifest }],
      { through: 0, settled: 0, fraction: 0, moving: 0 },
    ],
    [
      "a retry from the beginning takes nothing back",
      [
        plan,
        { type: "start", descriptor: a, offset: 0 },
        { type: "bytes", descriptor: a, bytes: 60 },
        { type: "start", descriptor: a, offset: 0 },
      ],
      { through: 60, settled: 0, fraction: 0.15, moving: 1 },
    ],
    [
      "never more than its size",
      [plan, { type: "start", descriptor: a, offset: 0 }, { type: "bytes", descriptor: a, bytes: 160 }],
      { through: 100, settled: 0, fraction: 0.25, moving: 1 },
    ],
    [
      "more work does not take the fraction back",
      [plan, { type: "mounted", descriptor: b }, { type: "plan", blobs: 1, bytes: 600 }],
      { through: 300, settled: 1, fraction: 0.75, moving: 0 },
    ],
    [
      "work that nobody planned",
      [{ type: "mounted", descriptor: b }],
      { through: 300, settled: 1, fraction: 1, moving: 0 },
    ],
  ];
  for (const [name, events, expected] of rows) {
    const state = after(...events);
    const { settled, fraction } = state;
    assert.deepEqual({ through: bytesThrough(state), settled, fraction, moving: state.moving.length }, expected, name);
  }
});

test("the rate counts only what this run moved", () => {
  const state = after(
    plan,
    { type: "start", descriptor: b, offset: 200 },
    { type: "bytes", descriptor: b, bytes: 20 },
    { type: "mounted", descriptor: a },
  );
  assert.equal(state.moved, 20);
});

test("whatever happens, nothing goes backwards", () => {
  const descriptors = [a, b, blob("c", 0), blob("d", 7), manifest];
  const someEvent: fc.Arbitrary<ProgressEvent> = fc.oneof(
    fc.record({ type: fc.constant("plan" as const), blobs: fc.nat(5), bytes: fc.nat(1000) }),
    fc.record({
      type: fc.constant("start" as const),
      descriptor: fc.constantFrom(...descriptors),
      offset: fc.nat(400),
    }),
    fc.record({ type: fc.constant("bytes" as const), descriptor: fc.constantFrom(...descriptors), bytes: fc.nat(200) }),
    fc.record({
      type: fc.constantFrom("done" as const, "skipped" as const, "mounted" as const),
      descriptor: fc.constantFrom(...descriptors),
    }),
    fc.constant<ProgressEvent>({ type: "retry", what: "x", attempt: 2, delay: 10, reason: "y" }),
  );
  fc.assert(
    fc.property(fc.array(someEvent, { maxLength: 60 }), (events) => {
      let state = noProgress;
      for (const event of events) {
        const next = advance(state, event);
        assert.ok(next.fraction >= state.fraction && next.fraction <= 1);
        assert.ok(bytesThrough(next) >= bytesThrough(state));
        assert.ok(next.bytes >= bytesThrough(next));
        assert.ok(next.settled >= state.settled && next.blobs >= next.settled);
        state = next;
      }
    }),
  );
});

test("new content counts before it has a digest; where nobody knows how much it is, no share of it is said", () => {
  const known = { type: "ingest", what: "app.tar", size: 400 } as const;
  const half = advance(advance(noProgress, { ...known, bytes: 0 }), { ...known, bytes: 200 });
  assert.deepEqual([half.blobs, half.bytes, bytesThrough(half), half.fraction, half.moved], [1, 400, 200, 0.5, 200]);
  const ended = advance(half, { ...known, bytes: 200, done: true });
  assert.deepEqual([ended.settled, ended.blobs, bytesThrough(ended), ended.fraction], [1, 1, 400, 1]);
  assert.deepEqual(ended.ingesting, []);
  const open = { type: "ingest", what: "standard input" } as const;
  const begun = advance(advance(noProgress, { ...open, bytes: 0 }), { ...open, bytes: 500 });
  assert.deepEqual([bytesThrough(begun), begun.fraction, hasNoEnd(begun)], [500, 0, true]);
  const over = advance(begun, { ...open, bytes: 0, done: true });
  assert.deepEqual([over.bytes, over.settled, over.fraction, hasNoEnd(over)], [500, 1, 1, false]);
  // One after the other under the same name, as a layer for Windows and one for the others.
  const again = advance(advance(ended, { ...known, bytes: 0 }), { ...known, bytes: 100 });
  assert.deepEqual([again.blobs, again.bytes, bytesThrough(again)], [2, 800, 500]);
});
