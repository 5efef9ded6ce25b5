import { forEachConcurrent, type Yielding } from "dray/internal/async";

/** Deletions on their way at once: they share the waits for the disk. */
const most = 16;

/** Works through many, a few side by side, with rests between. */
export const inBatches = async <T>(
  items: Iterable<T> | AsyncIterable<T>,
  yielding: Yielding,
  work: (item: T) => Promise<void>,
): Promise<void> => {
  let batch: T[] = [];
  const flush = async (): Promise<void> => {
    await forEachConcurrent(batch, most, work);
    batch = [];
    await yielding.turn();
  };
  for await (const item of items) if (batch.push(item) === most) await flush();
  await flush();
};
