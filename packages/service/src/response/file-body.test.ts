import assert from "node:assert/strict";
import { test } from "node:test";
import { collect } from "dray/content";
import { Memory } from "../memory/index.ts";
import { blocksOf } from "./blocks.ts";
import { fileBody, type ReadableFile } from "./file-body.ts";

const mebi = 1024 * 1024;
const unused = blocksOf(new Memory().share(0));

/** A file of bytes that tell where they stand. */
const stored = (
  size: number,
  { held = size }: { held?: number } = {},
): ReadableFile & { closed: number; reads: number } => ({
  size,
  closed: 0,
  reads: 0,
  read(into, position) {
    assert.equal(this.closed, 0, "read after close");
    this.reads++;
    const count = Math.max(0, Math.min(into.byteLength, held - position));
    for (let i = 0; i < count; i++) into[i] = at(position + i);
    return new Promise((resolve) => setImmediate(resolve, count));
  },
  async close() {
    this.closed++;
  },
});

const at = (position: number): number => (position ^ (position >> 8) ^ (position >> 16)) & 255;

const expected = (start: number, end: number): Buffer =>
  Buffer.from(Array.from({ length: end - start }, (_, i) => at(start + i)));

for (const [start, end] of [
  [0, 0],
  [0, 1],
  [5, 300_000],
  [0, 2 * mebi],
  [mebi + 1, 3 * mebi + 7],
] as const)
  test(`bytes ${start} to ${end} come whole and in order, and the file is closed`, async () => {
    const file = stored(4 * mebi);
    const blocks = blocksOf(new Memory(32 * mebi).share(0));
    const parts: Buffer[] = [];
    const body = fileBody(file, { start, end }, blocks);
    assert.equal(body.length, end - start);
    await body.pour?.(async (chunk) => {
      await new Promise((resolve) => setImmediate(resolve));
      // Copied only now: nobody may have written into it meanwhile.
      parts.push(Buffer.from(chunk));
    });
    assert.ok(Buffer.concat(parts).equals(expected(start, end)));
    assert.deepEqual([file.closed, blocks.used], [1, 0]);

    const again = stored(4 * mebi);
    const bytes = await collect(fileBody(again, { start, end }, blocks).chunks, 8 * mebi, "");
    assert.ok(Buffer.from(bytes).equals(expected(start, end)));
    assert.equal(again.closed, 1);
  });

test("chunks are their reader's own", async () => {
  const seen: Uint8Array[] = [];
  for await (const chunk of fileBody(stored(mebi), { start: 0, end: mebi }, unused).chunks) {
    for (const earlier of seen) assert.notEqual(earlier.buffer, chunk.buffer);
    assert.equal(chunk.buffer.byteLength, chunk.byteLength);
    seen.push(chunk);
  }
  assert.equal(seen.length, 4);
});

test("a client that goes away ends the reading, and the file is closed after the last read", async () => {
  const file = stored(64 * mebi);
  const blocks = blocksOf(new Memory(32 * mebi).share(0));
  let writes = 0;
  await assert.rejects(
    Promise.resolve(
      fileBody(file, { start: 0, end: file.size }, blocks).pour?.(async () => {
        if (++writes === 2) throw new Error("gone");
      }),
    ),
    { message: "gone" },
  );
  assert.deepEqual([file.closed, file.reads, blocks.used], [1, 3, 0]);
});

test("a file shorter than it says is an error, not a short answer that looks complete", async () => {
  for (const held of [0, mebi, 3 * mebi - 1]) {
    const file = stored(3 * mebi, { held });
    const blocks = blocksOf(new Memory(32 * mebi).share(0));
    const body = fileBody(file, { start: 0, end: file.size }, blocks);
    await assert.rejects(Promise.resolve(body.pour?.(async () => {})), { code: "DISK" });
    assert.deepEqual([file.closed, blocks.used], [1, 0]);
  }
});

test("a body that nobody wants closes its file", async () => {
  const file = stored(10);
  await fileBody(file, { start: 0, end: 10 }, unused).discard();
  assert.deepEqual([file.closed, file.reads], [1, 0]);
});

/** The sizes of the blocks that so many streams are given at first, all of them open, and whether they read ahead. */
const shared = (streams: number): { sizes: Set<number>; ahead: boolean } => {
  const blocks = blocksOf(new Memory(32 * mebi).share(0));
  const open = Array.from({ length: streams }, () => blocks.open());
  const taken = open.map((stream) => stream.take(8 * mebi));
  return { sizes: new Set(taken.map(({ bytes }) => bytes.byteLength)), ahead: open.every((one) => !one.isCrowded) };
};

for (const [streams, size, ahead] of [
  [1, mebi, true],
  [4, mebi, true],
  [5, mebi, false],
  [8, mebi, false],
  [16, mebi / 2, false],
  [32, mebi / 4, false],
  [64, mebi / 8, false],
] as const)
  test(`${streams} streams hold 8 MiB at most: blocks of ${size / 1024} KiB${ahead ? ", and one ahead" : ""}`, () => {
    assert.deepEqual(shared(streams), { sizes: new Set([size]), ahead });
  });

test("64 readers that take nothing hold 32 MiB at most, and one alone gets large blocks", async () => {
  const blocks = blocksOf(new Memory(32 * mebi).share(0));
  const sizes: number[] = [];
  await fileBody(stored(3 * mebi), { start: 0, end: 3 * mebi }, blocks).pour?.(
    async (chunk) => void sizes.push(chunk.byteLength),
  );
  assert.deepEqual(sizes, [mebi, mebi, mebi]);

  const gate = Promise.withResolvers<void>();
  const streams = Array.from({ length: 64 }, () => {
    const file = stored(2 * mebi);
    return (
      fileBody(file, { start: 0, end: file.size }, blocks).pour?.(() => gate.promise) ??
      Promise.reject(new Error("no pour"))
    );
  });
  for (let i = 0; i < 10; i++) await new Promise((resolve) => setImmediate(resolve));
  // The first few began while they were alone.
  assert.ok(blocks.used >= 64 * 2 * 128 * 1024, `${blocks.used} bytes`);
  assert.ok(blocks.used <= 32 * mebi, `${blocks.used} bytes`);
  gate.resolve();
  await Promise.all(streams);
  assert.equal(blocks.used, 0);
});

test("where memory is short, streams that go on use the same blocks again and again", async () => {
  const memory = new Memory(mebi);
  // Others have all of it.
  const others = memory.share(0).hold(mebi);
  const blocks = blocksOf(memory.share(0));
  const seen = new Set<ArrayBufferLike>();
  const streams = Array.from({ length: 8 }, () => {
    const file = stored(mebi);
    const sent = fileBody(file, { start: 0, end: file.size }, blocks).pour?.(async ({ buffer }) => {
      seen.add(buffer);
      await new Promise((resolve) => setImmediate(resolve));
    });
    return sent ?? Promise.reject(new Error("no pour"));
  });
  await Promise.all(streams);
  assert.ok(seen.size <= 16, `${seen.size} blocks of 16 KiB for ${8 * 64} pieces`);
  others.free();
  assert.deepEqual([memory.used, blocks.used], [0, 0]);
});
