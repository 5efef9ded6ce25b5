import assert from "node:assert/strict";
import { test } from "node:test";
import { isDrayError } from "../errors.ts";
import { Slots } from "./slots.ts";

const MiB = 1024 * 1024;
const { signal } = new AbortController();

/** How many of these sizes are in flight at the same time, at most. */
const most = async (slots: Slots, sizes: readonly number[]): Promise<number> => {
  let [now, highest] = [0, 0];
  await Promise.all(
    sizes.map((size) =>
      slots.run(signal, size, async () => {
        highest = Math.max(highest, ++now);
        await new Promise((resolve) => setImmediate(resolve));
        now--;
      }),
    ),
  );
  return highest;
};
const times = (count: number, size: number): number[] => new Array<number>(count).fill(size);

test("four large bodies, 32 small ones, and between them as many as weigh the same", async () => {
  const table: readonly [sizes: number[], expected: number][] = [
    [times(100, 100), 32],
    [times(100, 128 * 1024), 32],
    [times(100, 512 * 1024), 8],
    [times(100, MiB), 4],
    [times(100, 5000 * MiB), 4],
    [[...times(3, 50 * MiB), ...times(8, 0)], 11],
  ];
  for (const [sizes, expected] of table) assert.equal(await most(new Slots(undefined), sizes), expected, `${sizes[0]}`);
});

test("a count of one's own counts, whatever the size", async () => {
  assert.equal(await most(new Slots(3), times(20, 100)), 3);
  assert.equal(await most(new Slots(6), times(20, 50 * MiB)), 6);
});

test("who gives up while it waits lets those behind it in that weigh less", async () => {
  const slots = new Slots(undefined);
  let end = (): void => {};
  const ended = new Promise<void>((resolve) => (end = resolve));
  const before = [...[1, 2, 3].map(() => slots.run(signal, MiB, () => ended)), slots.run(signal, MiB / 2, () => ended)];
  const giving = new AbortController();
  const large = slots.run(giving.signal, MiB, async () => {});
  const small = slots.run(signal, 1, async () => "ran");
  giving.abort();
  await assert.rejects(large, (error) => isDrayError(error, "ABORTED"));
  assert.equal(await small, "ran");
  end();
  await Promise.all(before);
});
