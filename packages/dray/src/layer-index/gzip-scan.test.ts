import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { describe, test } from "node:test";
import { constants, deflateRawSync, gunzipSync, gzipSync, inflateRawSync } from "node:zlib";
import { seededBytes } from "@dray/testkit/files";
import { findPeer } from "@dray/testkit/peers";
import fc from "fast-check";
import { gzip } from "../compression/index.ts";
import { bytesContent, collect } from "../content/index.ts";
import { isDrayError } from "../errors.ts";
import { rangesOf } from "../seekable/index.ts";
import { fromBit } from "./from-bit.ts";
import { GzipScan, type RestartPoint } from "./gzip-scan.ts";
import type { IndexFacts } from "./index-format.ts";
import { plainBytes, startFor } from "./plain-ranges.ts";

const text = (lines: number): Buffer =>
  Buffer.from(Array.from({ length: lines }, (_, i) => `${(i * i) % 7919} of ${i}\n`).join(""));
const mixed = Buffer.concat([text(60_000), seededBytes("scan", 400_000), Buffer.alloc(200_000), text(70_000)]);

interface Scanned {
  readonly blob: Uint8Array;
  readonly facts: IndexFacts;
  readonly points: readonly RestartPoint[];
}

const scanned = (blob: Uint8Array, { span, cut = 60_000 }: { span?: number; cut?: number } = {}): Scanned => {
  const scan = new GzipScan(span);
  const points: RestartPoint[] = [];
  for (let at = 0; at < blob.byteLength; at += cut) points.push(...scan.push(blob.subarray(at, at + cut)));
  points.push(...scan.end());
  const facts: IndexFacts = {
    digest: "",
    size: blob.byteLength,
    compression: "gzip",
    plainSize: scan.plainSize,
    members: scan.members,
    points: points.map(({ bits, bytes }, piece) => ({ bits, bytes, piece })),
    pieces: [],
    entries: [],
  };
  return { blob, facts, points };
};

const read = async ({ blob, facts, points }: Scanned, from: number, to: number): Promise<Buffer> => {
  const ranges = rangesOf(blob.byteLength, async function* ({ offset = 0, length = 0 }) {
    for (let at = offset; at < offset + length; at += 7000) yield blob.slice(at, Math.min(at + 7000, offset + length));
  });
  const start = startFor(facts, from) ?? assert.fail(`no start for ${from}`);
  const window = points[start.piece ?? -1]?.window ?? new Uint8Array(0);
  return Buffer.from(await collect(plainBytes(ranges, facts, { from, to, start, window }), 1e9, "plain"));
};

/** Reads at each point, on both sides of it, across the next one, and at the ends. */
const readAlike = async (found: Scanned, plain: Uint8Array, what: string): Promise<void> => {
  assert.equal(found.facts.plainSize, plain.byteLength, what);
  const places = [0, 1, plain.byteLength - 1, ...found.points.map(({ bytes }) => bytes)];
  for (const place of places)
    for (const from of [place - 1, place, place + 40_000]) {
      if (from < 0 || from >= plain.byteLength) continue;
      for (const length of [1, 10_240]) {
        const to = Math.min(plain.byteLength, from + length);
        assert.ok((await read(found, from, to)).equals(plain.subarray(from, to)), `${what}: ${from} to ${to}`);
      }
    }
  assert.ok((await read(found, 1, plain.byteLength)).equals(plain.subarray(1)), what);
};

/** Compresses by a program; `undefined` where that is missing, which is said. */
const by = (name: string, ...words: string[]): Buffer | undefined => {
  const program = findPeer(name);
  return program === undefined ? undefined : execFileSync(program, words, { input: mixed, maxBuffer: 1e8 });
};

describe("gzip that is read from its midst", () => {
  test("whoever compressed it", async () => {
    const found = new Map<string, Uint8Array | undefined>([
      ...["-1", "-6", "-9"].map((level): [string, Buffer | undefined] => [`gzip ${level}`, by("gzip", "-c", level)]),
      ["pigz", by("pigz", "-c")],
      ["pigz -i", by("pigz", "-c", "-i")],
      ["stored", gzipSync(mixed, { level: 0 })],
      ["fixed codes", gzipSync(mixed, { strategy: constants.Z_FIXED })],
      ["no matches", gzipSync(mixed, { strategy: constants.Z_HUFFMAN_ONLY })],
      ["small blocks", gzipSync(mixed, { memLevel: 1 })],
    ]);
    for (const [name, blob] of found) {
      if (blob === undefined) continue;
      const one = scanned(blob);
      assert.ok(one.points.length > 0 || one.facts.members.length > 10, name);
      for (const [i, { bytes }] of one.points.entries())
        assert.ok(bytes - (one.points[i - 1]?.bytes ?? 0) >= 2 ** 20, name);
      await readAlike(one, mixed, name);
    }
  });

  test("of ours no window is kept, for its segments know nothing of each other", async () => {
    for (const level of [1, 6]) {
      const blob = await collect(gzip(bytesContent(mixed).open(), { level }), 1e9, "gzip");
      const found = scanned(blob);
      assert.deepEqual(
        found.points.map(({ bytes, window }) => [bytes, window.byteLength]),
        Array.from({ length: Math.floor(mixed.byteLength / 2 ** 20) }, (_, i) => [(i + 1) * 2 ** 20, 0]),
      );
      await readAlike(found, mixed, `level ${level}`);
    }
  });

  test("at each and every byte, from whichever point and bit", async () => {
    const plain = Buffer.concat([text(9000), seededBytes("each", 40_000), text(5000)]);
    const bits = new Set<number>();
    let points = 0;
    for (const blob of [
      gzipSync(plain, { memLevel: 1 }),
      gzipSync(plain, { memLevel: 2, level: 1 }),
      gzipSync(plain, { memLevel: 1, strategy: constants.Z_FIXED }),
    ]) {
      const found = scanned(blob, { span: 32_768 });
      points += found.points.length;
      for (const { bits: at, bytes } of found.points) {
        bits.add(at % 8);
        assert.ok((await read(found, bytes, plain.byteLength)).equals(plain.subarray(bytes)), `from ${bytes}`);
      }
      for (let from = 0; from < plain.byteLength; from += 1499)
        assert.ok((await read(found, from, from + 1)).equals(plain.subarray(from, from + 1)), `byte ${from}`);
    }
    assert.ok(points >= 8 && bits.size >= 4, `${points}, ${bits.size}`);
  });

  test("at any bit of a byte", async () => {
    const plain = text(400);
    const deflated = deflateRawSync(plain);
    for (let bit = 0; bit < 8; bit++) {
      // The same data so many bits later.
      let carried = (0xff >> (8 - bit)) & 0xff;
      const shifted = Uint8Array.from([...deflated, 0], (byte) => {
        const all = (byte << bit) | carried;
        carried = all >> 8;
        return all & 0xff;
      });
      const whole = await collect(fromBit(bytesContent(shifted).open(), bit), 1e6, "data");
      assert.ok(inflateRawSync(whole).equals(plain), `bit ${bit}`);
    }
  });

  test("of several members, empty ones and long heads among them, with anything behind", async () => {
    const parts = [
      mixed.subarray(0, 700_000),
      Buffer.alloc(0),
      mixed.subarray(700_000, 700_001),
      mixed.subarray(700_001),
    ];
    const members = parts.map((part) => gzipSync(part));
    // A name, a comment, an extra field and a checksum of the head.
    const head = Buffer.from([0x1f, 0x8b, 8, 30, 0, 0, 0, 0, 0, 3, 3, 0, 65, 0, 0, 110, 0, 99, 0, 0xff, 0xff]);
    members[3] = Buffer.concat([head, (members[3] as Buffer).subarray(10)]);
    for (const [what, behind] of [
      ["nothing", Buffer.alloc(0)],
      ["zeros", Buffer.alloc(5000)],
      ["other bytes", Buffer.from("behind it lies something else")],
      ["half a head", Buffer.from([0x1f])],
    ] as const)
      for (const cut of [1000, 1e9]) {
        const found = scanned(Buffer.concat([...members, behind]), { cut });
        assert.deepEqual(
          found.facts.members.map(({ bytes }) => bytes),
          [0, 700_000, 700_001],
          what,
        );
        if (cut > 1000) await readAlike(found, mixed, what);
      }
  });

  test("however it is cut, byte by byte as well", async () => {
    const plain = text(9000);
    const blob = Buffer.concat([
      gzipSync(plain.subarray(0, 90_000), { memLevel: 1 }),
      gzipSync(plain.subarray(90_000)),
    ]);
    const whole = scanned(blob, { span: 32_768, cut: 1e9 });
    assert.ok(whole.points.length > 1);
    for (const cut of [1, 7, 640, 1023, 1025]) {
      const { facts, points } = scanned(blob, { span: 32_768, cut });
      assert.deepEqual([facts, points], [whole.facts, whole.points], `pieces of ${cut}`);
    }
  });

  test("what ends early, or is not what its checksum says, is refused", () => {
    const refused = (error: unknown): boolean => isDrayError(error, "MANIFEST_INVALID");
    const plain = text(200);
    const blob = gzipSync(plain);
    for (let size = 0; size < blob.byteLength; size += 7)
      assert.throws(() => scanned(blob.subarray(0, size)), refused, `${size} bytes`);
    assert.throws(() => scanned(Buffer.concat([blob, blob.subarray(0, 40)])), refused);
    fc.assert(
      fc.property(fc.integer({ min: 10, max: blob.byteLength - 1 }), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const wrong = Uint8Array.from(blob, (byte, i) => (i === at ? byte ^ flip : byte));
        let expected: Buffer | undefined;
        try {
          expected = gunzipSync(wrong);
        } catch {}
        if (expected === undefined) assert.throws(() => scanned(wrong), refused);
        else assert.equal(scanned(wrong).facts.plainSize, expected.byteLength);
      }),
      { numRuns: 50 },
    );
  });
});
