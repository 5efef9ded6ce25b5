/** Choices that are the same for the same seed. */
export interface Chance {
  /** From 0 to 1. */
  readonly next: () => number;
  /** From 0 to `below - 1`. */
  readonly below: (below: number) => number;
  readonly pick: <T>(list: readonly T[]) => T;
}

export const chanceOf = (seed: number): Chance => {
  // mulberry32
  let state = seed | 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (most: number): number => Math.floor(next() * most);
  return {
    next,
    below,
    pick: (list) => {
      if (list.length === 0) throw new Error("nothing to choose from");
      return list[below(list.length)] as (typeof list)[number];
    },
  };
};
