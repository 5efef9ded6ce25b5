import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { constants, gunzipSync, inflateRawSync } from "node:zlib";
import { seededBytes } from "@dray/testkit/files";
import fc from "fast-check";
import { collect } from "../content/index.ts";
import { deflateFormat, segmentSize } from "../deflate/index.ts";
import { digestOf } from "../oci/index.ts";
import { gzip } from "./gzip.ts";

const pieces = async function* (bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.byteLength; at += size) yield bytes.subarray(at, at + size);
};

const gzipped = (bytes: Uint8Array, level?: number): Promise<Uint8Array> =>
  collect(gzip(pieces(bytes, 300_001), level === undefined ? {} : { level }), 1e9, "test");

/** Numbers below 2^32, the same everywhere: integers alone. */
const numbers = (seed: number): (() => number) => {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state >>> 8;
  };
};

/** Words, by a vocabulary of their own. */
const words = (length: number): Uint8Array => {
  const next = numbers(1);
  const vocabulary = Array.from({ length: 2000 }, () => (next() % 100_000).toString(36));
  const text = Buffer.alloc(length);
  for (let at = 0; at < length; ) at += text.write(`${vocabulary[(next() % 45) * (next() % 45)]} `, at);
  return text;
};

/** What programs look like: records that resemble each other, zeros between, and parts that were compressed already. */
const records = (length: number): Uint8Array => {
  const next = numbers(2);
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; ) {
    const kind = next() % 16;
    const end = Math.min(length, at + 16 + (next() % (kind < 2 ? 90_000 : 200)));
    if (kind === 0) for (; at < end; at++) bytes[at] = next();
    else if (kind === 1) at = end;
    else
      for (const from = next() % Math.min(at + 1, 60_000); at < end; at++)
        bytes[at] = next() % 5 === 0 ? next() % 64 : (bytes[at - from - 1] ?? 7);
  }
  return bytes;
};

const inputs = {
  words: words(3_300_000),
  records: records(2_600_000),
  mixed: Buffer.concat([seededBytes(3, 1_500_000), words(70_000)]),
};

/** The digests are promised: a change of one is a change of the format, and of the digest of every layer that is compressed. */
const golden: Readonly<Record<keyof typeof inputs, Readonly<Record<number, string>>>> = {
  words: {
    1: "sha256:30ffec9eb22b154c3bc4626eb964eea2158bd7209ffa840962eb87f5bc4b495f",
    6: "sha256:b23458037d59d41bb5fd409366325d8c04e40546592d6c6ea3228bc5d1af30aa",
    9: "sha256:c24c7e8afc13d7afde564a694859d247e6bbf1e726c71b2b4d61e6bd0ac5080f",
  },
  records: {
    1: "sha256:0518ab769443b4fbf57ae900315a1a27d7ad7423e1bcc9661dad187f5bd3dd18",
    6: "sha256:8c2eaaef1986d4b973bb2e6087b120a80bd5a15cd295ddb67ee7a0780db6b246",
    9: "sha256:061cf01cea0465dadcb6a6bea70b5e63794979cd84d1199f7b3125ab7769a5ed",
  },
  mixed: {
    1: "sha256:8efaab8a55d32ce3f791c70ac8822db5401ae9aec032eaa9fd02d907377456b3",
    6: "sha256:2ac572d69bf50296401e9b78eb8332ac4d323b9a03976832aeb5bf23684669ae",
    9: "sha256:e8a3b3cdd00572196c71e7ad6a3bb905d8b45d9621153c417f1c7c5a15a9ca6d",
  },
};

describe(deflateFormat, () => {
  for (const name of ["words", "records", "mixed"] as const)
    for (const level of [1, 6, 9])
      test(`gives the promised bytes of ${name} at level ${level}`, async () => {
        const made = await gzipped(inputs[name], level);
        assert.ok(gunzipSync(made).equals(inputs[name]));
        assert.equal(digestOf(made), golden[name][level]);
      });

  test("is level 1 where none is said", async () => {
    assert.equal(digestOf(await gzipped(inputs.words)), golden.words[1]);
  });

  test("gives smaller results at higher levels", async () => {
    const next = numbers(4);
    const lines = Array.from(
      { length: 20_000 },
      () =>
        `{"name":"lib${next() % 900}","version":"${next() % 9}.${next() % 30}.0","path":"/usr/lib/${next() % 70}"}\n`,
    );
    const list = Buffer.from(lines.join(""));
    const [fastest, middle, smallest] = await Promise.all([1, 6, 9].map((level) => gzipped(list, level)));
    assert.ok(fastest !== undefined && middle !== undefined && smallest !== undefined);
    assert.ok(fastest.byteLength > middle.byteLength && middle.byteLength > smallest.byteLength);
  });

  test("has segments that can be read alone, each after an empty stored block", async () => {
    const made = Buffer.from(await gzipped(inputs.words));
    const flush = Buffer.from([0, 0, 0xff, 0xff]);
    const ends: number[] = [];
    for (let at = made.indexOf(flush); at >= 0; at = made.indexOf(flush, at + 1)) ends.push(at + flush.byteLength);
    assert.equal(ends.length, Math.ceil(inputs.words.byteLength / segmentSize));
    for (const [index, end] of ends.entries()) {
      const segment = made.subarray(ends[index - 1] ?? 10, end);
      const plain = inputs.words.subarray(index * segmentSize, (index + 1) * segmentSize);
      assert.ok(inflateRawSync(segment, { finishFlush: constants.Z_SYNC_FLUSH }).equals(plain), `segment ${index}`);
    }
  });

  test("is undone by gunzip, whatever the bytes and the level", async () => {
    const part = fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      fc.tuple(fc.nat(255), fc.nat(70_000)).map(([byte, length]) => new Uint8Array(length).fill(byte)),
      fc.tuple(fc.nat(1000), fc.nat(70_000)).map(([seed, length]) => seededBytes(seed, length)),
      fc.tuple(fc.nat(1_000_000), fc.nat(70_000)).map(([from, length]) => inputs.words.subarray(from, from + length)),
      fc.tuple(fc.nat(1_000_000), fc.nat(70_000)).map(([from, length]) => inputs.records.subarray(from, from + length)),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(part, { maxLength: 12 }), fc.integer({ min: 1, max: 9 }), async (parts, level) => {
        const bytes = Buffer.concat(parts);
        assert.ok(gunzipSync(await gzipped(bytes, level)).equals(bytes));
      }),
      { numRuns: 15 },
    );
  });
});
