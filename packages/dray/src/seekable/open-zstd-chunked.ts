import { decompressed } from "../compression/index.ts";
import { type Cancel, collect } from "../content/index.ts";
import { DrayError } from "../errors.ts";
import { type Annotations, algorithmOf, type Digest, digestOf } from "../oci/index.ts";
import { checkedParts } from "./checked-parts.ts";
import type { Ranges } from "./ranges.ts";
import type { SeekableLayer } from "./seekable-layer.ts";
import { TocTable } from "./toc-table.ts";

/** What annotations of a layer of zstd:chunked say: the digest of its table of contents as it lies, and where it does. */
export const zstdChunkedAnnotations = (
  annotations: Annotations,
): { readonly checksum: string | undefined; readonly position: string | undefined } => {
  // Until 2022 the names were shorter.
  const said = (name: string): string | undefined =>
    annotations[`io.github.containers.zstd-chunked.${name}`] ?? annotations[`io.containers.zstd-chunked.${name}`];
  return { checksum: said("manifest-checksum"), position: said("manifest-position") };
};

/** Bytes of a compressed table at most, and of its text. */
const [mostTable, mostText] = [128 * 1024 * 1024, 1024 * 1024 * 1024];

/**
 * Opens a layer of zstd:chunked by its table of contents, which lies in a frame that decompressors pass over.
 * @param position `OFFSET:LENGTH:LENGTH OF ITS TEXT:KIND`, of which kind 1 is known
 * @throws DrayError `MANIFEST_INVALID`, `DIGEST_MISMATCH`, `LIMIT_EXCEEDED` for what is none, `UNSUPPORTED` where the runtime has no zstd, and what
 *   reading throws
 * @see https://github.com/containers/storage/blob/main/docs/containers-storage-zstd-chunked.md
 */
export const openZstdChunked = async (
  ranges: Ranges,
  checksum: Digest,
  position: string,
  options: Cancel = {},
): Promise<SeekableLayer> => {
  const [offset = 0, length = 0, textLength = 0, kind] = /^\d+(?::\d+){3}$/.test(position)
    ? position.split(":").map(Number)
    : [];
  if (kind !== 1)
    throw new DrayError("MANIFEST_INVALID", `the table of contents lies at ${position}, which is unknown`);
  if (length > mostTable || textLength > mostText)
    throw new DrayError("LIMIT_EXCEEDED", `the table of contents has ${length} bytes`);
  const compressed = await collect(ranges.read(offset, length, options), mostTable, "the table of contents");
  if (digestOf(compressed, algorithmOf(checksum)) !== checksum)
    throw new DrayError("DIGEST_MISMATCH", `the table of contents has another digest than ${checksum}`, {
      reference: checksum,
    });
  const table = await TocTable.read(bounded(decompressed(once(compressed)), textLength), offset);
  return {
    entries: () => table.entries(),
    async *open({ place, path }, opening = {}) {
      const data = await table.data(place);
      if (data === undefined) return;
      const frames = ranges.read(data.offset, data.end - data.offset, opening);
      yield* checkedParts(decompressed(frames), data, `file ${path}`);
    },
  };
};

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

async function* bounded(chunks: AsyncIterable<Uint8Array>, most: number): AsyncGenerator<Uint8Array> {
  let size = 0;
  for await (const chunk of chunks) {
    size += chunk.byteLength;
    if (size > most)
      throw new DrayError("LIMIT_EXCEEDED", `the table of contents is larger than the ${most} bytes that were said`);
    yield chunk;
  }
}
