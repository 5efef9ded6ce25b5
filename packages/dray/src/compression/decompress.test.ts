import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { gzipSync, zstdCompressSync } from "node:zlib";
import fc from "fast-check";
import { isDrayError } from "../errors.ts";
import { decompressed, sniffCompression } from "./decompress.ts";

const a = Buffer.from("a".repeat(300_000));
const b = Buffer.from("b".repeat(70_000));
/** A frame for somebody else: magic, size, four bytes. */
const skippable = Buffer.from([0x5a, 0x2a, 0x4d, 0x18, 4, 0, 0, 0, 1, 2, 3, 4]);
const checked = zstdCompressSync(a, { params: { 201: 1 } });

async function* pieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.byteLength; at += size) yield bytes.subarray(at, at + size);
}

const all = async (chunks: AsyncIterable<Uint8Array>): Promise<Buffer> => {
  const parts: Uint8Array[] = [];
  for await (const chunk of chunks) parts.push(chunk);
  return Buffer.concat(parts);
};

const sizes = [1, 3, 1000, 10_000_000];

test("gzip, zstd and neither come out as they went in, however they are cut", async () => {
  const cases: [string, Buffer, Buffer][] = [
    ["nothing", Buffer.alloc(0), Buffer.alloc(0)],
    ["one byte", Buffer.from("x"), Buffer.from("x")],
    ["not compressed", b, b],
    ["gzip", gzipSync(a), a],
    ["gzip in members", Buffer.concat([gzipSync(a), gzipSync(b)]), Buffer.concat([a, b])],
    ["gzip, zeros behind", Buffer.concat([gzipSync(a), Buffer.alloc(5000)]), a],
    ["zstd", zstdCompressSync(a), a],
    ["zstd with a checksum", checked, a],
    ["zstd of nothing", zstdCompressSync(Buffer.alloc(0)), Buffer.alloc(0)],
    ["zstd in frames", Buffer.concat([zstdCompressSync(a), checked, zstdCompressSync(b)]), Buffer.concat([a, a, b])],
    ["a skippable frame first", Buffer.concat([skippable, zstdCompressSync(b)]), b],
    [
      "skippable frames within and last",
      Buffer.concat([checked, skippable, zstdCompressSync(b), skippable]),
      Buffer.concat([a, b]),
    ],
  ];
  for (const [what, bytes, wanted] of cases)
    for (const size of sizes)
      assert.ok((await all(decompressed(pieces(bytes, size)))).equals(wanted), `${what}, in pieces of ${size}`);
});

test("frames of any content and level are found", async () => {
  const frame = fc.tuple(fc.uint8Array({ maxLength: 5000 }), fc.constantFrom(1, 3, 19), fc.boolean());
  await fc.assert(
    fc.asyncProperty(
      fc.array(frame, { minLength: 1, maxLength: 6 }),
      fc.integer({ min: 1, max: 4000 }),
      async (frames, cut) => {
        const made = frames.map(([bytes, level, sum]) =>
          zstdCompressSync(bytes, { params: { 100: level, 201: sum ? 1 : 0 } }),
        );
        const found = await all(decompressed(pieces(Buffer.concat(made), cut)));
        assert.ok(found.equals(Buffer.concat(frames.map(([bytes]) => bytes))));
      },
    ),
    { numRuns: 50 },
  );
});

test("damaged and cut data is an error, never a shorter result", async () => {
  const flipped = Buffer.from(checked);
  flipped[flipped.length - 2] = (flipped.at(-2) as number) ^ 0xff;
  const cases: [string, Buffer][] = [
    ["gzip cut", gzipSync(a).subarray(0, 100)],
    ["gzip without its end", gzipSync(a).subarray(0, -1)],
    ["gzip with something behind it", Buffer.concat([gzipSync(a), Buffer.from("something")])],
    ["zstd cut in a block", zstdCompressSync(a).subarray(0, 15)],
    ["zstd cut in its header", zstdCompressSync(a).subarray(0, 5)],
    ["zstd without its checksum", checked.subarray(0, -4)],
    ["the second frame cut", Buffer.concat([checked, zstdCompressSync(b).subarray(0, -1)])],
    ["a cut skippable frame", Buffer.concat([checked, skippable.subarray(0, -1)])],
    ["a wrong checksum", flipped],
    ["zstd with something behind it", Buffer.concat([checked, Buffer.from("something")])],
    ["zstd with a block of an unknown kind", Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x20, 1, 0x07, 0, 0, 0])],
  ];
  for (const [what, bytes] of cases)
    for (const size of sizes)
      await assert.rejects(
        all(decompressed(pieces(bytes, size))),
        (error) => isDrayError(error, "MANIFEST_INVALID"),
        `${what}, ${size}`,
      );
});

test("an error of the source is the error; leaving early lets the source go", async () => {
  for (const compress of [gzipSync, zstdCompressSync]) {
    const failing = async function* (): AsyncGenerator<Uint8Array> {
      yield compress(a).subarray(0, 20);
      throw new Error("cable pulled");
    };
    await assert.rejects(all(decompressed(failing())), /cable pulled/);
    let ended = false;
    const watched = (async function* () {
      try {
        yield* pieces(compress(Buffer.concat([a, a, a, a, a])), 50);
      } finally {
        ended = true;
      }
    })();
    for await (const _ of decompressed(watched)) break;
    for (let turns = 0; turns < 100 && !ended; turns++) await new Promise((resolve) => setImmediate(resolve));
    assert.ok(ended);
  }
});

test("compression is told by the first bytes", () => {
  assert.equal(sniffCompression(gzipSync(b)), "gzip");
  assert.equal(sniffCompression(zstdCompressSync(b)), "zstd");
  assert.equal(sniffCompression(skippable), "zstd");
  assert.equal(sniffCompression(b), "none");
  assert.equal(sniffCompression(new Uint8Array(0)), "none");
});

test("memory that is given back is not that into which more is written, however slowly it comes and is read", async () => {
  // What compresses little comes out in pieces as it went in, so that a buffer is filled by several, and the last one in the end by a little.
  const noise = Buffer.alloc(32 * 40_000);
  for (let at = 0; at < noise.byteLength; at += 32) createHash("sha256").update(`${at}`).digest().copy(noise, at);
  const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");
  const later = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  for (const over of [4_000, 59_000]) {
    const plain = noise.subarray(0, 4 * 256 * 1024 + over);
    const packed = { gzip: gzipSync(plain, { level: 1 }), zstd: zstdCompressSync(plain) };
    for (const [how, bytes] of Object.entries(packed))
      for (const size of [50_000, 100_000, 131_072])
        for (const turns of [0, 4]) {
          const hash = createHash("sha256");
          const slowly = async function* (): AsyncGenerator<Uint8Array> {
            for (const part of [bytes.subarray(0, -8_000), bytes.subarray(-8_000)])
              for await (const piece of pieces(part, size)) {
                yield piece;
                await later();
              }
          };
          for await (const chunk of decompressed(slowly(), { lends: true })) {
            hash.update(chunk);
            for (let i = 0; i < turns; i++) await later();
          }
          assert.equal(hash.digest("hex"), sha256(plain), `${how}, in pieces of ${size}, read every ${turns} turns`);
        }
  }
});
