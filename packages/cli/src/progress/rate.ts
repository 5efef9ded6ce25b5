/** Time over which a rate is averaged, milliseconds: long enough to stand still, short enough to follow. */
const span = 10_000;

interface Sample {
  readonly at: number;
  readonly bytes: number;
}

/** Bytes in all, seen at a time in milliseconds; the samples that still count. */
export const sampled = (samples: readonly Sample[], bytes: number, at: number): readonly Sample[] => {
  const from = samples.findLastIndex((sample) => sample.at <= at - span);
  return [...samples.slice(Math.max(0, from)), { at, bytes }];
};

/** Bytes in a second over the samples; `undefined` before there is anything to measure. */
export const rateOf = (samples: readonly Sample[]): number | undefined => {
  const [first, last] = [samples[0], samples.at(-1)];
  if (first === undefined || last === undefined || last.at - first.at < 200) return undefined;
  return ((last.bytes - first.bytes) * 1000) / (last.at - first.at);
};
