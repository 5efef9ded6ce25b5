import { DrayError, isDrayError } from "../errors.ts";
import type { Digest } from "../oci/index.ts";
import type { Ranges } from "../seekable/index.ts";
import { blockSize, digestSize, sha256 } from "./block-digests.ts";

/** What parts of a blob are compared with. */
export interface Checks {
  /** The blob's. */
  readonly digest: Digest;
  /** Those of its blocks. */
  readonly digests: Uint8Array;
  /** Called where bytes are wrong, once for each reading: `true` where another try may bring right ones. */
  readonly mend: () => Promise<boolean>;
}

/**
 * Parts of a blob, of which whole blocks are asked for and compared with their digests: nothing is given out that is not as it was when the whole blob
 * was checked. Holds a block at a time.
 * @throws DrayError when it is read: `DIGEST_MISMATCH`, `SIZE_MISMATCH`, and what reading throws
 */
export const checkedRanges = (ranges: Ranges, checks: Checks): Ranges => ({
  size: ranges.size,
  async *read(offset, length, options) {
    const end = Math.min(ranges.size, offset + length);
    let at = offset;
    let mended = false;
    while (at < end) {
      try {
        for await (const { from, bytes } of blocks(ranges, at, end, checks, options)) {
          const part = bytes.subarray(Math.max(0, at - from), end - from);
          at = from + bytes.byteLength;
          yield part;
        }
        return;
      } catch (error) {
        if (mended || !isDrayError(error, "DIGEST_MISMATCH", "SIZE_MISMATCH") || !(await checks.mend())) throw error;
        mended = true;
      }
    }
  },
});

interface Block {
  readonly from: number;
  readonly bytes: Uint8Array;
}

/** The blocks that have bytes between two places, by one request. */
async function* blocks(
  ranges: Ranges,
  start: number,
  end: number,
  checks: Checks,
  options: Parameters<Ranges["read"]>[2],
): AsyncGenerator<Block> {
  let from = start - (start % blockSize);
  const stop = Math.min(ranges.size, Math.ceil(end / blockSize) * blockSize);
  const held = new Uint8Array(Math.min(blockSize, stop - from));
  let filled = 0;
  for await (const chunk of ranges.read(from, stop - from, options))
    for (let rest = chunk; rest.byteLength > 0; ) {
      const size = Math.min(blockSize, stop - from);
      const part = rest.subarray(0, size - filled);
      held.set(part, filled);
      filled += part.byteLength;
      rest = rest.subarray(part.byteLength);
      if (filled < size) continue;
      const bytes = held.slice(0, size);
      compare(bytes, from, checks);
      yield { from, bytes };
      from += size;
      filled = 0;
    }
  if (from < stop)
    throw new DrayError(
      "SIZE_MISMATCH",
      `layer ${checks.digest} ends at byte ${from + filled} where ${ranges.size} were promised: it was cut or replaced on the way; try again or another source`,
      { reference: checks.digest },
    );
}

const compare = (bytes: Uint8Array, from: number, { digest, digests }: Checks): void => {
  const at = (from / blockSize) * digestSize;
  if (Buffer.compare(sha256(bytes), digests.subarray(at, at + digestSize)) === 0) return;
  throw new DrayError(
    "DIGEST_MISMATCH",
    `layer ${digest} has other bytes at ${from} to ${from + bytes.byteLength} than when it was read whole: they were damaged or replaced on the way; try again or another source`,
    { reference: digest },
  );
};
