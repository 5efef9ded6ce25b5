import { type Cancel, collect } from "../content/index.ts";
import { DrayError } from "../errors.ts";
import { type Digest, digester } from "../oci/index.ts";
import { readEntries } from "../tar/index.ts";
import { checkedParts } from "./checked-parts.ts";
import { footerSize, parseFooter } from "./footer.ts";
import { gunzipped } from "./gunzip.ts";
import type { Ranges } from "./ranges.ts";
import type { SeekableLayer } from "./seekable-layer.ts";
import { tocName } from "./toc.ts";
import { TocTable } from "./toc-table.ts";

/** Bytes at the end of a blob that are read first: the footer, and a small table with it. */
const tailSize = 32 * 1024;
/** Bytes of the text of a table at most. */
const mostText = 1024 * 1024 * 1024;
/** Bytes that are read at a time where a file took more than it could. */
const window = 64 * 1024;

/**
 * Opens an eStargz layer by its table of contents, which is the last of it.
 * @param tocDigest what the annotation of the layer says
 * @throws DrayError `MANIFEST_INVALID`, `ARCHIVE_INVALID`, `DIGEST_MISMATCH`, `LIMIT_EXCEEDED` for what is none, and what reading throws
 */
export const openEstargz = async (ranges: Ranges, tocDigest: Digest, options: Cancel = {}): Promise<SeekableLayer> => {
  const tailAt = Math.max(0, ranges.size - tailSize);
  const tail = await collect(ranges.read(tailAt, tailSize, options), tailSize, "the end of the layer");
  const tocOffset = parseFooter(tail.subarray(-footerSize));
  const tocEnd = ranges.size - footerSize;
  if (tocOffset === undefined || tocOffset >= tocEnd)
    throw new DrayError("MANIFEST_INVALID", "the layer has no footer of eStargz");
  const compressed = async function* (): AsyncGenerator<Uint8Array> {
    yield* ranges.read(tocOffset, tailAt - tocOffset, options);
    yield tail.subarray(Math.max(0, tocOffset - tailAt), tocEnd - tailAt);
  };
  const table = await TocTable.read(tocText(gunzipped(compressed()), tocDigest), tocOffset);
  return {
    entries: () => table.entries(),
    async *open({ place, path }, opening = {}) {
      const data = await table.data(place);
      if (data === undefined) return;
      const size = data.parts.reduce((sum, part) => sum + part.size, data.before);
      yield* checkedParts(gunzipped(windows(ranges, data, size, opening)), data, `file ${path}`);
    },
  };
};

/** The text of the table, whose end throws where it is another one. */
async function* tocText(plain: AsyncIterable<Uint8Array>, digest: Digest): AsyncGenerator<Uint8Array> {
  const hash = digester("sha256");
  for await (const { name, size, body } of readEntries(plain, { what: "the table of contents" })) {
    if (name !== tocName) throw new DrayError("MANIFEST_INVALID", `the layer has no ${tocName} where its footer says`);
    if (size > mostText) throw new DrayError("LIMIT_EXCEEDED", `the table of contents has ${size} bytes`);
    for await (const chunk of body) {
      hash.update(chunk);
      yield chunk;
    }
    break;
  }
  if (hash.digest() !== digest)
    throw new DrayError("DIGEST_MISMATCH", `the table of contents has another digest than ${digest}`, {
      reference: digest,
    });
}

/**
 * The compressed bytes of a file of `size`. Behind its own may come what lies before the next file, which nobody needs: so many are asked for as it
 * can take, and more only where that was too little.
 */
async function* windows(
  ranges: Ranges,
  { offset, end }: { readonly offset: number; readonly end: number },
  size: number,
  options: Cancel,
): AsyncGenerator<Uint8Array> {
  let at = Math.min(end, offset + size + Math.ceil(size / 64) + 4096);
  yield* ranges.read(offset, at - offset, options);
  for (; at < end; at += window) yield* ranges.read(at, Math.min(window, end - at), options);
}
