import assert from "node:assert/strict";
import { test } from "node:test";
import { type Block, BlockFeed, blockSize, giveBlock, takeBlock } from "./blocks.ts";

/** Done with each block as it comes, and tells how many came. */
class Counting extends BlockFeed {
  handed: number[] = [];

  constructor() {
    super(blockSize);
  }

  protected hand(_: Block, length: number): void {
    this.handed.push(length);
    this.done();
  }

  end(): void {
    this.drop();
  }
}

test("many feeds that stand still hold few blocks: the others hand on what they have", async () => {
  const feeds = Array.from({ length: 1000 }, () => new Counting());
  for (const feed of feeds) await feed.update(new Uint8Array(1000));
  const holding = feeds.filter(({ handed }) => handed.length === 0);
  assert.equal(holding.length, 32);
  for (const feed of feeds) await feed.flush();
  assert.ok(feeds.every(({ handed }) => handed.length === 1 && handed[0] === 1000));
  const alone = new Counting();
  await alone.update(new Uint8Array(1000));
  assert.deepEqual(alone.handed, [], "who is alone fills its block");
  alone.end();
});

test("blocks that many have at a time are used again, however many these are, and few stay when they are gone", () => {
  const seen = new Set<ArrayBufferLike>();
  const take = (): Block => {
    const block = takeBlock();
    seen.add(block.bytes.buffer);
    return block;
  };
  const held = Array.from({ length: 100 }, take);
  for (let round = 0; round < 10; round++) {
    for (const block of held.splice(0, 50)) giveBlock(block);
    held.push(...Array.from({ length: 50 }, take));
  }
  assert.equal(seen.size, 100);
  for (const block of held) giveBlock(block);
  const again = Array.from({ length: 100 }, take);
  assert.equal(seen.size, 100, "all are kept for whoever comes next");
  for (const block of again) giveBlock(block);
  const many = Array.from({ length: 300 }, take);
  for (const block of many) giveBlock(block);
  const next = Array.from({ length: 300 }, take);
  assert.equal(seen.size, 300 + 172, "128 are kept when there were more");
  for (const block of next) giveBlock(block);
});
