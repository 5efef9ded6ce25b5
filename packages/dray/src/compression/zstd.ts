import { availableParallelism } from "node:os";
import { promisify } from "node:util";
import { mapOrdered } from "../async/index.ts";
import { blocksOf, detach, transferable } from "../content/index.ts";
import { DrayError } from "../errors.ts";
import { type CompressFrame, proveZstd } from "./zstd-proof.ts";

/** Bytes of input in one frame. Part of the format: another one makes other bytes of the same input. */
const frameSize = 4 * 1024 * 1024;

type Compress = (
  bytes: Uint8Array,
  options: { readonly params: Readonly<Record<number, number>>; readonly pledgedSrcSize: number },
) => Promise<Uint8Array>;

/** Levels at which this process makes the bytes that are promised. */
const proven = new Set<number>();

/**
 * zstd on all cores: frames of 4 MiB, each with its size and a checksum, compressed side by side on the runtime's threads. The bytes are those
 * of zstd 1.5.7: they depend on input and level alone.
 * @param level zstd's, 1 to 19
 * @throws DrayError `UNSUPPORTED` where the runtime has no zstd, or one of other bytes and `DRAY_ANY_ZSTD` is not set
 */
export async function* zstd(
  chunks: AsyncIterable<Uint8Array>,
  { level }: { readonly level: number },
): AsyncGenerator<Uint8Array> {
  const { constants, zstdCompress } = await import("node:zlib");
  if ((zstdCompress as unknown) === undefined)
    throw new DrayError("UNSUPPORTED", `Node ${process.versions.node} has no zstd to compress with; 22.15 has`);
  const asked = promisify(zstdCompress) as unknown as Compress;
  const compress: CompressFrame = (bytes, at) =>
    asked(bytes, {
      params: { [constants.ZSTD_c_compressionLevel]: at, [constants.ZSTD_c_checksumFlag]: 1 },
      pledgedSrcSize: bytes.byteLength,
    });
  if (!proven.has(level)) await proveZstd(compress, level);
  proven.add(level);
  let frames = 0;
  for await (const frame of mapOrdered(blocksOf(given(chunks), frameSize), availableParallelism(), async (block) => {
    frames += 1;
    const made = await compress(block, level);
    // Much shorter than the buffer it lies in. Collectors learn late of blocks of this size.
    const exact = new Uint8Array(made);
    for (const { buffer } of [block, made]) if (buffer.byteLength >= frameSize / 4) (buffer as ArrayBuffer).transfer(0);
    return transferable(exact);
  }))
    yield frame;
  if (frames === 0) yield await compress(new Uint8Array(0), level);
}

/** Chunks that are copied by whoever gets them, and given back then. */
async function* given(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    yield chunk;
    detach(chunk);
  }
}
