import type { Cancel, Indexes } from "../content/index.ts";
import { DrayError, isDrayError } from "../errors.ts";
import type { Descriptor } from "../oci/index.ts";
import type { Ranges, SeekableLayer } from "../seekable/index.ts";
import { withHoles } from "../tar/index.ts";
import { checkedRanges } from "./checked-ranges.ts";
import { IndexLost, type IndexReader } from "./index-reader.ts";
import { openIndex } from "./open-index.ts";
import { plainBytes, startFor } from "./plain-ranges.ts";

/**
 * Opens a layer by its index, if one is kept: a place in it is the offset of a body in its tar.
 * Once the index is found to be damaged it is taken away, and the reading throws `IndexLost`: of entries perhaps after some were told, of a file before
 * its first byte.
 */
export const openIndexed = async (
  ranges: Ranges,
  blob: Descriptor,
  indexes: Indexes,
): Promise<SeekableLayer | undefined> => {
  const index = await openIndex(blob, indexes);
  if (index === undefined) return undefined;
  return {
    async *entries() {
      const entries = index.entries();
      for (;;) {
        const next = await believed(blob, indexes, () => entries.next());
        if (next.done) return;
        const { stored: _stored, offset, ...entry } = next.value;
        yield { ...entry, place: offset };
      }
    },
    async *open({ place, path }, options = {}) {
      const entry = await believed(blob, indexes, () => index.entryAt(place));
      if (entry === undefined)
        throw new DrayError("NOT_FOUND", `layer ${blob.digest} has no entry ${path} at byte ${place}`, {
          reference: blob.digest,
        });
      const data = bodyOf({ index, ranges, blob, indexes }, place, place + entry.stored, options);
      yield* entry.extents === undefined ? data : withHoles(data, entry.size, entry.extents);
    },
  };
};

interface Opened {
  readonly index: IndexReader;
  readonly ranges: Ranges;
  readonly blob: Descriptor;
  readonly indexes: Indexes;
}

async function* bodyOf(
  { index, ranges, blob, indexes }: Opened,
  from: number,
  to: number,
  options: Cancel,
): AsyncGenerator<Uint8Array> {
  if (from >= to) return;
  const { facts, blockDigests: digests } = index;
  const stored = checkedRanges(ranges, { digest: blob.digest, digests, mend: () => indexes.mend(blob, options) });
  if (facts.compression === "none") {
    yield* stored.read(from, to - from, options);
    return;
  }
  const start = startFor(facts, from);
  if (start === undefined || to > facts.plainSize) throw await lost(blob, indexes);
  const { piece } = start;
  const window = piece === undefined ? new Uint8Array(0) : await believed(blob, indexes, () => index.piece(piece));
  yield* plainBytes(stored, facts, { from, to, start, window }, options);
}

/** Reads something of an index that may be damaged. @throws IndexLost */
const believed = async <T>(blob: Descriptor, indexes: Indexes, read: () => Promise<T>): Promise<T> => {
  try {
    return await read();
  } catch (error) {
    if (error instanceof IndexLost || isDrayError(error, "DISK")) throw await lost(blob, indexes);
    throw error;
  }
};

const lost = async (blob: Descriptor, indexes: Indexes): Promise<IndexLost> => {
  await indexes.remove(blob);
  return new IndexLost();
};
