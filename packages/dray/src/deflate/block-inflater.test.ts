import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { constants, deflateRawSync, inflateRawSync } from "node:zlib";
import { seededBytes } from "@dray/testkit/files";
import fc from "fast-check";
import { isDrayError } from "../errors.ts";
import { BlockInflater, type BlockStart } from "./block-inflater.ts";

const text = Buffer.from(Array.from({ length: 40_000 }, (_, i) => `${(i * i) % 7919} of ${i}\n`).join(""));
const mixed = Buffer.concat([text, seededBytes("inflate", 200_000), Buffer.alloc(200_000), text.subarray(0, 200_000)]);

const inflated = (data: Uint8Array, size: number): { plain: Buffer; blocks: BlockStart[]; inflater: BlockInflater } => {
  const blocks: BlockStart[] = [];
  const inflater = new BlockInflater((start) => blocks.push(start));
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < data.byteLength && !inflater.hasEnded; at += size)
    for (const piece of inflater.inflate(data.subarray(at, at + size), at + size >= data.byteLength))
      pieces.push(piece.slice());
  return { plain: Buffer.concat(pieces), blocks, inflater };
};

/** The data from a bit on, at its place in a byte: behind empty blocks of ten bits. Those reach even places. */
const fromBit = (data: Uint8Array, bits: number): Uint8Array => {
  const [from, odd] = [Math.floor(bits / 8), bits % 8];
  if (odd === 0) return data.subarray(from);
  // Of each block three bits are its head, 010, and seven the end.
  const empty = Array.from({ length: odd / 2 }, () => 0b10n).reduce(
    (all, block, i) => all | (block << BigInt(10 * i)),
    0n,
  );
  const length = Math.floor((10 * odd) / 16);
  const before = Uint8Array.from({ length: length + 1 }, (_, i) => Number((empty >> BigInt(8 * i)) & 255n));
  before[length] = (before[length] as number) | ((data[from] as number) & (255 << odd));
  return Buffer.concat([before, data.subarray(from + 1)]);
};

describe("an inflater that tells blocks", () => {
  const deflated = [
    ...[1, 6, 9].map((level) => deflateRawSync(mixed, { level })),
    deflateRawSync(mixed, { level: 0 }),
    deflateRawSync(mixed, { strategy: constants.Z_FIXED }),
    deflateRawSync(mixed, { strategy: constants.Z_HUFFMAN_ONLY }),
    deflateRawSync(mixed, { memLevel: 1 }),
  ];

  test("gives the bytes that zlib gives, however the data is cut", () => {
    for (const data of deflated)
      for (const size of [1000, 65_536, data.byteLength]) {
        const { plain, inflater } = inflated(data, size);
        assert.ok(plain.equals(mixed), `pieces of ${size}`);
        assert.deepEqual([inflater.hasEnded, inflater.taken], [true, data.byteLength]);
      }
    const some = mixed.subarray(text.byteLength - 20_000, text.byteLength + 20_000);
    for (const size of [1, 7]) assert.ok(inflated(deflateRawSync(some, { memLevel: 1 }), size).plain.equals(some));
  });

  test("zlib goes on at each block that it tells, with the 32 KiB before as its dictionary", () => {
    let told = 0;
    for (const data of deflated) {
      const blocks = inflated(data, 50_000).blocks.filter(({ bits }) => bits % 2 === 0);
      if (blocks.length > 0) told++;
      for (const { bits, bytes } of blocks.filter((_, i) => i % Math.ceil(blocks.length / 3) === 0)) {
        const dictionary = mixed.subarray(Math.max(0, bytes - 32_768), bytes);
        const rest = inflateRawSync(fromBit(data, bits), { dictionary, finishFlush: constants.Z_SYNC_FLUSH });
        assert.ok(rest.equals(mixed.subarray(bytes)), `bit ${bits}`);
      }
    }
    assert.ok(told > 3, `${told} of ${deflated.length} have blocks`);
  });

  test("what comes behind the stream is not taken", () => {
    const [data = new Uint8Array()] = deflated;
    const { plain, inflater } = inflated(Buffer.concat([data, seededBytes("behind", 2000)]), 40_000);
    assert.ok(plain.equals(mixed));
    assert.equal(inflater.taken, data.byteLength);
  });

  test("codes that leave forms of bits without a symbol are refused where zlib refuses them", () => {
    const data = deflateRawSync(text.subarray(0, 3000));
    for (const [at, flip] of [
      [6, 9],
      [10, 4],
      [15, 164],
      [21, 110],
    ] as const) {
      const wrong = Uint8Array.from(data, (byte, i) => (i === at ? byte ^ flip : byte));
      assert.throws(() => inflateRawSync(wrong), /invalid/, `${at}`);
      assert.throws(
        () => inflated(wrong, 100),
        (error) => isDrayError(error, "MANIFEST_INVALID"),
        `${at}`,
      );
    }
    // One distance alone is a code of one bit, of which the other stands for nothing.
    const once = deflateRawSync(Buffer.from("abcabcabcabcabc".repeat(40)), { level: 9 });
    assert.equal(inflated(once, 100).plain.byteLength, 600);
  });

  test("data that ends early, or is none, is refused as zlib refuses it", () => {
    const refused = (error: unknown): boolean => isDrayError(error, "MANIFEST_INVALID");
    const data = deflateRawSync(text.subarray(0, 3000));
    for (let size = 1; size < data.byteLength; size += 13)
      assert.throws(() => inflated(data.subarray(0, size), 100), refused, `${size} bytes`);
    fc.assert(
      fc.property(fc.nat(data.byteLength - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const wrong = Uint8Array.from(data, (byte, i) => (i === at ? byte ^ flip : byte));
        let expected: Buffer | undefined;
        try {
          expected = inflateRawSync(wrong);
        } catch {}
        if (expected === undefined) assert.throws(() => inflated(wrong, 100), refused);
        else assert.ok(inflated(wrong, 100).plain.equals(expected));
      }),
      { numRuns: 100 },
    );
  });
});
