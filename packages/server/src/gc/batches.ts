import type { Pace } from "./pace.ts";

/** Deletions on their way at once: they share the waits for the disk. */
const most = 16;

/** Works through many, a few side by side, with rests between. */
export const inBatches = async <T>(
  items: Iterable<T> | AsyncIterable<T>,
  pace: Pace,
  work: (item: T) => Promise<void>,
): Promise<void> => {
  let batch: T[] = [];
  const flush = async (): Promise<void> => {
    const results = await Promise.allSettled(batch.map(work));
    batch = [];
    for (const result of results) if (result.status === "rejected") throw result.reason;
    await pace.turn();
  };
  for await (const item of items) if (batch.push(item) === most) await flush();
  await flush();
};
