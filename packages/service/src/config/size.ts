const units: Readonly<Record<string, number>> = {
  "": 1,
  k: 1000,
  ki: 1024,
  m: 1000 ** 2,
  mi: 1024 ** 2,
  g: 1000 ** 3,
  gi: 1024 ** 3,
  t: 1000 ** 4,
  ti: 1024 ** 4,
};

/** Bytes of `64MiB`, `1GB`, `1.5 GiB`, `512Ki`, `4096`: with an `i` powers of 1024, without powers of 1000. `undefined` for what is none. */
export const parseSize = (text: string): number | undefined => {
  const [, amount = "", unit = ""] = /^(\d+(?:\.\d+)?) ?([kmgt]i?)?b?$/i.exec(text) ?? [];
  const bytes = Math.round(Number(amount) * (units[unit.toLowerCase()] ?? Number.NaN));
  return amount !== "" && Number.isSafeInteger(bytes) ? bytes : undefined;
};

/** The same the other way, in the largest unit that leaves nothing over. */
export const formatSize = (bytes: number): string => {
  for (const unit of ["TiB", "GiB", "MiB", "KiB"]) {
    const length = units[unit.slice(0, 2).toLowerCase()] ?? 1;
    if (bytes >= length && bytes % length === 0) return `${bytes / length}${unit}`;
  }
  return `${bytes}B`;
};
