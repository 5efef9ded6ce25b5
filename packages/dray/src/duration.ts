const units: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/**
 * Milliseconds of a duration as Go writes it: `168h`, `1h30m`, `1.5s`; days (`7d`) besides. `0` needs no unit, everything else does:
 * Go takes a bare number for nanoseconds, which nobody means. `undefined` for what is none.
 */
export const parseDuration = (text: string): number | undefined => {
  if (/^\+?0+$/.test(text)) return 0;
  if (!/^\+?(?:(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|μs|ms|s|m|h|d))+$/.test(text)) return undefined;
  let sum = 0;
  for (const [, amount = "", unit = ""] of text.matchAll(/([\d.]+)(ns|us|µs|μs|ms|s|m|h|d)/g))
    sum += Number(amount) * (units[unit] ?? Number.NaN);
  return Number.isFinite(sum) && sum <= Number.MAX_SAFE_INTEGER ? sum : undefined;
};

const written = [
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", 1000],
] as const;

/** The same the other way: `1h30m`, `250ms`, `0s`. */
export const formatDuration = (milliseconds: number): string => {
  if (milliseconds === 0) return "0s";
  if (!Number.isFinite(milliseconds)) return "never";
  let rest = milliseconds;
  let text = "";
  for (const [unit, length] of written) {
    const count = Math.floor(rest / length);
    rest -= count * length;
    if (count > 0) text += `${count}${unit}`;
  }
  return rest > 0 ? `${text}${rest}ms` : text;
};
