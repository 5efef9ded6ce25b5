import { createInflateRaw } from "node:zlib";
import type { Cancel } from "../content/index.ts";
import { DrayError } from "../errors.ts";
import { drawn, type Ranges } from "../seekable/index.ts";
import { StreamSource } from "../tar/index.ts";
import { blockSize } from "./block-digests.ts";
import { fromBit } from "./from-bit.ts";
import type { GzipMember } from "./gzip-scan.ts";
import type { IndexFacts, KeptPoint } from "./index-format.ts";

/** Where decompressing begins. */
export interface Start {
  /** The member that it lies in, by its place among them. */
  readonly member: number;
  /** Bits of the blob, and plain bytes, before it. */
  readonly bits: number;
  readonly bytes: number;
  /** The piece of the index that has what was before. */
  readonly piece: number | undefined;
}

/** The last place at or before a plain byte at which decompressing can begin. `undefined` behind the end. */
export const startFor = ({ members, points, plainSize }: IndexFacts, byte: number): Start | undefined => {
  if (byte >= plainSize) return undefined;
  const member = lastAt(members, byte);
  const { start, bytes } = members[member] as GzipMember;
  const point = points[lastAt(points, byte)];
  // Of an earlier member it would do as well, and would take longer.
  return point === undefined || point.bytes < bytes || point.bits < start * 8
    ? { member, bits: start * 8, bytes, piece: undefined }
    : { member, ...point };
};

/** Where compressed bytes end that make all plain bytes before one: surely, and by the share of the span that these are. */
const endsFor = (facts: IndexFacts, byte: number): { readonly sure: number; readonly likely: number } => {
  const { members, points, plainSize } = facts;
  const last = startFor(facts, byte - 1) as Start;
  const member = members[last.member] as GzipMember;
  const next: KeptPoint | undefined = points[lastAt(points, byte - 1) + 1];
  const isInside = next !== undefined && next.bits <= member.end * 8;
  const end = isInside
    ? { at: Math.ceil(next.bits / 8), bytes: next.bytes }
    : { at: member.end, bytes: members[last.member + 1]?.bytes ?? plainSize };
  const from = Math.floor(last.bits / 8);
  const share = ((end.at - from) * (byte - last.bytes)) / (end.bytes - last.bytes);
  return { sure: end.at, likely: Math.min(end.at, from + Math.ceil(share * 1.125) + blockSize / 4) };
};

/** The place of the last that begins at or before a byte; -1 where there is none. */
const lastAt = (sorted: readonly { readonly bytes: number }[], byte: number): number => {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] as { readonly bytes: number }).bytes <= byte) low = middle + 1;
    else high = middle;
  }
  return low - 1;
};

/**
 * Plain bytes from a place on, decompressed from the last point before it, by one request for the compressed bytes that it takes, or two.
 * @param window the plain bytes before the point
 * @throws DrayError `MANIFEST_INVALID` where the data is not that of the index, and what reading throws
 */
export async function* plainBytes(
  stored: Ranges,
  facts: IndexFacts,
  {
    from,
    to,
    start,
    window,
  }: { readonly from: number; readonly to: number; readonly start: Start; readonly window: Uint8Array },
  options: Cancel = {},
): AsyncGenerator<Uint8Array> {
  const begin = Math.floor(start.bits / 8);
  const { sure: stop, likely } = endsFor(facts, to);
  const source = new StreamSource(inTwo(stored, begin, likely, stop, options));
  try {
    let at = start.bytes;
    for (let i = start.member; at < to; i++) {
      const member = facts.members[i];
      if (member === undefined) throw wrong();
      const isFirst = i === start.member;
      if (!isFirst) await source.skip(member.start - begin - source.position);
      const data = partOf(source, Math.min(member.end, stop) - begin);
      const inflate = createInflateRaw({
        chunkSize: 64 * 1024,
        ...(isFirst && window.byteLength > 0 ? { dictionary: window } : {}),
      });
      const until = Math.min(to, facts.members[i + 1]?.bytes ?? facts.plainSize);
      for await (const chunk of drawn(inflate, isFirst ? fromBit(data, start.bits % 8) : data)) {
        const piece = chunk.subarray(Math.max(0, from - at), until - at);
        at = Math.min(until, at + chunk.byteLength);
        if (piece.byteLength > 0) yield piece;
        if (at === until) break;
      }
      if (at < until) throw wrong();
    }
  } finally {
    await source.close();
  }
}

/** What is likely to do, and the rest where somebody asks for more. */
async function* inTwo(
  stored: Ranges,
  begin: number,
  likely: number,
  stop: number,
  options: Cancel,
): AsyncGenerator<Uint8Array> {
  yield* stored.read(begin, likely - begin, options);
  yield* stored.read(likely, stop - likely, options);
}

/** The bytes of a source up to a place. */
async function* partOf(source: StreamSource, end: number): AsyncGenerator<Uint8Array> {
  while (source.position < end) {
    const part = await source.some(end - source.position);
    if (part.byteLength === 0) return;
    yield part;
  }
}

const wrong = (): DrayError =>
  new DrayError("MANIFEST_INVALID", "the gzip data is not that of which the index was made");
