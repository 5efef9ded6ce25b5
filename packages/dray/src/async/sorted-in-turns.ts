import type { Yielding } from "./yielding.ts";

/** How many names are sorted or looked through before others have a turn, if a slice of time is used up. */
const run = 1000;

/**
 * Names in the order of code units, as `sort` has them, without keeping anybody waiting while there are a hundred thousand: runs are
 * sorted and merged pair by pair, with rests between.
 * @param wanted leaves out what is none of them
 */
export const sortedInTurns = async (
  names: readonly string[],
  yielding: Yielding,
  wanted: (name: string) => boolean = () => true,
): Promise<string[]> => {
  let runs: string[][] = [];
  for (let at = 0; at < names.length; at += run) {
    runs.push(
      names
        .slice(at, at + run)
        .filter(wanted)
        .sort(),
    );
    await yielding.turn();
  }
  while (runs.length > 1) {
    const merged: string[][] = [];
    for (let i = 0; i < runs.length; i += 2) merged.push(await mergedRuns(runs[i] ?? [], runs[i + 1] ?? [], yielding));
    runs = merged;
  }
  return runs[0] ?? [];
};

const mergedRuns = async (one: readonly string[], other: readonly string[], yielding: Yielding): Promise<string[]> => {
  const all: string[] = [];
  let [a, b] = [0, 0];
  for (let left = one[a], right = other[b]; left !== undefined || right !== undefined; ) {
    if (right === undefined || (left !== undefined && left <= right)) {
      all.push(left as string);
      left = one[++a];
    } else {
      all.push(right);
      right = other[++b];
    }
    if (all.length % run === 0) await yielding.turn();
  }
  return all;
};
