import assert from "node:assert/strict";
import { test } from "node:test";
import { type Block, BlockFeed, blockSize } from "./blocks.ts";

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
  assert.equal(holding.length, 64);
  for (const feed of feeds) await feed.flush();
  assert.ok(feeds.every(({ handed }) => handed.length === 1 && handed[0] === 1000));
  const alone = new Counting();
  await alone.update(new Uint8Array(1000));
  assert.deepEqual(alone.handed, [], "who is alone fills its block");
  alone.end();
});
