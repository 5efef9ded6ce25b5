/** Bytes from `start` up to `end`, which is not one of them. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** More than these in one request are not served in parts: a short header must not make a long answer. */
const mostRanges = 16;

/**
 * The ranges of a `Range` header over `size` bytes, none where the whole is to be sent: no header, another unit, a syntax that nobody knows,
 * too many. RFC 9110 §14. A range that begins after its own end is unsatisfiable: the conformance suite wants 416 for it.
 */
export const rangesOf = (value: string | undefined, size: number): ByteRange[] | "unsatisfiable" => {
  const list = /^bytes=(.+)$/i.exec(value?.trim() ?? "")?.[1]?.split(",") ?? [];
  if (list.length === 0 || list.length > mostRanges) return [];
  const ranges: ByteRange[] = [];
  for (const item of list) {
    const [, from, to] = /^\s*(\d{0,15})-(\d{0,15})\s*$/.exec(item) ?? [];
    if (from === undefined || to === undefined || from + to === "") return [];
    const start = from === "" ? Math.max(0, size - Number(to)) : Number(from);
    const end = from === "" || to === "" ? size : Math.min(Number(to) + 1, size);
    if (start < end) ranges.push({ start, end });
  }
  if (ranges.length === 0) return "unsatisfiable";
  // Overlapping ranges would send more than there is.
  const sent = ranges.reduce((sum, { start, end }) => sum + end - start, 0);
  return sent > size ? [] : ranges;
};
