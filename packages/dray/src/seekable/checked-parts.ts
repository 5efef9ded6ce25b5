import { DrayError } from "../errors.ts";
import { type AsyncDigester, digesterFor } from "../hash/index.ts";
import type { Part } from "./toc-entries.ts";

/**
 * The bytes of parts, one behind the other, each compared with its digest when its end has come. Some bytes are passed over before, and all after
 * them are left.
 * @throws DrayError `DIGEST_MISMATCH`, `SIZE_MISMATCH` where the bytes end early
 */
export async function* checkedParts(
  chunks: AsyncIterable<Uint8Array>,
  { before, parts }: { readonly before: number; readonly parts: readonly Part[] },
  what: string,
): AsyncGenerator<Uint8Array> {
  let [skip, index, left] = [before, 0, 0];
  let hash: AsyncDigester | undefined;
  try {
    for await (const chunk of chunks) {
      let rest = chunk.subarray(Math.min(skip, chunk.byteLength));
      skip -= chunk.byteLength - rest.byteLength;
      while (rest.byteLength > 0) {
        const part = parts[index] as Part;
        if (hash === undefined) [hash, left] = [digesterFor("sha256", part.size), part.size];
        const piece = rest.subarray(0, left);
        await hash.update(piece);
        left -= piece.byteLength;
        rest = rest.subarray(piece.byteLength);
        if (left === 0) {
          const found = await hash.digest();
          hash = undefined;
          if (found !== part.digest) throw mismatch(what, part, found);
          index++;
        }
        yield piece;
        if (index === parts.length) return;
      }
    }
    throw new DrayError(
      "SIZE_MISMATCH",
      `${what} ends early; the layer is damaged, or its table of contents is of another one`,
    );
  } finally {
    hash?.abandon();
  }
}

const mismatch = (what: string, { digest }: Part, found: string): DrayError =>
  new DrayError(
    "DIGEST_MISMATCH",
    `${what} has bytes of digest ${found}, and not ${digest}: they were damaged or replaced on the way; try again or another source`,
    { reference: digest },
  );
