const units = ["B", "kB", "MB", "GB", "TB", "PB"];

/** Bytes for people, in powers of 1000 as registries and docker print them: `999 B`, `1.5 kB`, `512 MB`. */
export const formatBytes = (bytes: number): string => {
  let value = bytes;
  let unit = 0;
  // 999.95 would be rounded up to 1000.0 of its unit.
  while (unit < units.length - 1 && value >= 999.95) {
    value /= 1000;
    unit++;
  }
  const digits = unit === 0 || value >= 99.95 ? 0 : 1;
  return `${value.toFixed(digits)} ${units[unit]}`;
};

/** A time for people: `0.4 s`, `12 s`, `3 min 20 s`, `2 h 5 min`. */
export const formatDuration = (milliseconds: number): string => {
  const seconds = milliseconds / 1000;
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return joined(Math.floor(whole / 60), "min", whole % 60, "s");
  const minutes = Math.round(whole / 60);
  return joined(Math.floor(minutes / 60), "h", minutes % 60, "min");
};

const joined = (large: number, largeUnit: string, small: number, smallUnit: string): string =>
  small === 0 ? `${large} ${largeUnit}` : `${large} ${largeUnit} ${small} ${smallUnit}`;

/** `1 blob`, `2 blobs`. */
export const plural = (number: number, word: string): string => `${number} ${word}${number === 1 ? "" : "s"}`;
