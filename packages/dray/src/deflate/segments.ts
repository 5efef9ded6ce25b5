import { availableParallelism } from "node:os";
import { type Block, type Job, ThreadPool } from "../threads/index.ts";
import { deflateScript } from "./deflate.script.ts";
import { Encoder } from "./encoder.ts";
import type { DeflateAnswer, DeflateStep } from "./steps.ts";
import { stored } from "./stored.ts";
import { encoderModule } from "./webassembly.ts";

/** The bytes of a segment, in blocks of shared memory that are all full but the last. */
export interface Segment {
  readonly blocks: readonly Block[];
  readonly length: number;
}

/** Threads at most: all cores, up to what one thread reads, checks and sends; each has 3 MiB besides what a thread costs. */
export const threadsThatDeflate = (): number => Math.min(8, availableParallelism());

const pool = new ThreadPool<DeflateStep, DeflateAnswer>({
  script: deflateScript,
  inPlace: async () => (await import("./steps.ts")).deflateSteps,
  most: threadsThatDeflate,
});

let encoder: Encoder | undefined;
/** Bytes that are compressed in place before threads do it all: in less time than one takes to start. */
const fewAtFirst = 4 * 1024 * 1024;
let doneInPlace = 0;
/** Bytes that take no longer here than on their way to a thread and back. */
const smallest = 16 * 1024;

/**
 * Compresses a segment, where that takes the least time: the beginning of the first few contents here and now, the rest in threads.
 * The result is the same. Its blocks are the caller's again when this is settled, perhaps with other bytes in them.
 * @param level 1 to 9
 * @param begins whether it is the first of its content
 * @returns the result in pieces, which are the caller's
 * @throws DrayError `UNSUPPORTED` where there is no WebAssembly
 */
export const deflateSegment = async (segment: Segment, level: number, begins: boolean): Promise<Uint8Array[]> => {
  if (segment.length > smallest && (!begins || doneInPlace >= fewAtFirst)) return inThread(segment, level);
  doneInPlace += segment.length;
  return inPlace(segment, level);
};

const inPlace = (segment: Segment, level: number): Uint8Array[] => {
  encoder ??= new Encoder(encoderModule());
  const parts = partsOf(segment, segment.length);
  for (const part of parts) encoder.add(part);
  const result = encoder.finish(level);
  return [result === undefined ? stored(parts) : result.slice()];
};

const inThread = async (segment: Segment, level: number): Promise<Uint8Array[]> => {
  const module = encoderModule();
  const { size } = await new Promise<DeflateAnswer>((resolve, reject) => {
    let waitsFor = segment.blocks.length;
    const job: Job<DeflateAnswer> = {
      answered: (answer) => {
        if (--waitsFor === 0) resolve(answer);
      },
      refused: reject,
      lost: reject,
    };
    const { thread, id } = pool.join(job);
    const last = segment.blocks.length - 1;
    for (const [index, { block, length }] of filled(segment).entries())
      thread.ask(id, index === last ? { finish: { level, module } } : {}, index === last, block, length);
  });
  return size === undefined
    ? [stored(partsOf(segment, segment.length))]
    : partsOf(segment, size).map((part) => new Uint8Array(part));
};

/** The blocks with the bytes that are in each. */
const filled = ({ blocks, length }: Segment): { readonly block: Block; readonly length: number }[] => {
  let left = length;
  return blocks.map((block) => {
    const inBlock = Math.min(left, block.bytes.byteLength);
    left -= inBlock;
    return { block, length: inBlock };
  });
};

/** So many of its bytes, from its beginning. */
export const partsOf = ({ blocks }: Segment, length: number): Uint8Array[] =>
  filled({ blocks, length })
    .filter((some) => some.length > 0)
    .map((some) => some.block.bytes.subarray(0, some.length));
