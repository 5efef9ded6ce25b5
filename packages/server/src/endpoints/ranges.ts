/** Bytes from `start` up to `end`, which is not one of them. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** Partial pulls of zstd:chunked and eStargz ask for some hundreds at once. */
const mostRanges = 1024;

/**
 * The ranges of a `Range` header over `size` bytes, none where the whole is to be sent: no header, another unit, a syntax that nobody
 * knows, or more than what is there is worth. RFC 9110 §14. A range that begins after its own end is unsatisfiable: the conformance
 * suite wants 416 for it. Of nothing there is no part: clients that always send `bytes=0-` get the empty whole, as Go's servers have it.
 */
export const rangesOf = (value: string | undefined, size: number): ByteRange[] | "unsatisfiable" => {
  const list = /^bytes=(.+)$/i.exec(value?.trim() ?? "")?.[1]?.split(",") ?? [];
  if (size === 0 || list.length > mostElements) return [];
  const ranges: ByteRange[] = [];
  let asked = 0;
  for (const item of list) {
    // An empty element of a list is none. RFC 9110 §5.6.1.
    if (item.trim() === "") continue;
    const [, from, to] = /^\s*(\d{0,30})-(\d{0,30})\s*$/.exec(item) ?? [];
    if (from === undefined || to === undefined || from + to === "") return [];
    asked++;
    const start = from === "" ? Math.max(0, size - Number(to)) : Number(from);
    const end = from === "" || to === "" ? size : Math.min(Number(to) + 1, size);
    if (start < end) ranges.push({ start, end });
  }
  if (asked === 0) return [];
  if (ranges.length === 0) return "unsatisfiable";
  return isWorthwhile(ranges, size) ? ranges : [];
};

/** Commas alone cost nothing but the time to look at them. */
const mostElements = 2 * mostRanges;

/** Whether the parts cost no more than the whole: not too many, no more bytes in all, and at most two of them overlap. */
const isWorthwhile = (ranges: readonly ByteRange[], size: number): boolean => {
  if (ranges.length > mostRanges) return false;
  let [sent, overlaps, reached] = [0, 0, 0];
  for (const { start, end } of [...ranges].sort((a, b) => a.start - b.start)) {
    sent += end - start;
    if (start < reached) overlaps++;
    reached = Math.max(reached, end);
  }
  // RFC 9110 §14.2: more than two that overlap are a mistake or an attack.
  return sent <= size && overlaps <= 1;
};
