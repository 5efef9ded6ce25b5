import { detach } from "../content/index.ts";
import { type Segment, segmentBlocks } from "../deflate/index.ts";
import { type Block, blockSize, giveBlock, takeBlock } from "../threads/index.ts";

/** Joins chunks to segments, all full but the last, however the chunks are cut. Whoever takes one gives it back, by `giveSegment`. */
export async function* segmentsOf(chunks: AsyncIterable<Uint8Array>, handsOver: boolean): AsyncGenerator<Segment> {
  let blocks: Block[] = [];
  let filled = 0;
  try {
    for await (const chunk of chunks) {
      for (let at = 0; at < chunk.byteLength; ) {
        const inBlock = filled % blockSize;
        if (inBlock === 0) blocks.push(takeBlock());
        const part = chunk.subarray(at, at + blockSize - inBlock);
        (blocks.at(-1) as Block).bytes.set(part, inBlock);
        at += part.byteLength;
        filled += part.byteLength;
        if (filled < segmentBlocks * blockSize) continue;
        const full = { blocks, length: filled };
        [blocks, filled] = [[], 0];
        yield full;
      }
      if (handsOver) detach(chunk);
    }
    if (filled === 0) return;
    const rest = { blocks, length: filled };
    blocks = [];
    yield rest;
  } finally {
    giveSegment({ blocks });
  }
}

/** Gives the memory of a segment back. */
export const giveSegment = ({ blocks }: Pick<Segment, "blocks">): void => {
  for (const block of blocks) giveBlock(block);
};
