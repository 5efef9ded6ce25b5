import { detach } from "../content/index.ts";
import { digesterFor, type HashPool, ThreadedHash, threadsBesideThis, worthItsThread } from "../hash/index.ts";
import type { Digest, DigestAlgorithm } from "../oci/index.ts";
import { ThreadPool } from "../threads/index.ts";
import { decompressed } from "./decompress.ts";
import { layerScript } from "./layer.script.ts";

/** The two digests of a layer. */
export interface LayerDigests {
  /** Of its bytes as they lie. */
  readonly digest: Digest;
  /** Of its bytes without compression. */
  readonly diffID: Digest;
}

export interface LayerToRead {
  readonly size: number;
  readonly algorithm: DigestAlgorithm;
  readonly inside: DigestAlgorithm;
}

/**
 * Reads a layer once and computes both digests on the way. A large one is read by another thread: this one has the network to
 * care for, and both hashes and the stream of the decompressor are more than half of the work.
 * @throws DrayError `MANIFEST_INVALID` for compressed bytes that are damaged, and what the chunks throw
 */
export const layerDigests = (chunks: AsyncIterable<Uint8Array>, layer: LayerToRead): Promise<LayerDigests> =>
  worthItsThread(layer.algorithm, layer.size) ? inThread(chunks, layer) : inPlace(chunks, layer);

const inPlace = async (
  chunks: AsyncIterable<Uint8Array>,
  { size, algorithm, inside }: LayerToRead,
): Promise<LayerDigests> => {
  const outer = digesterFor(algorithm, size);
  const inner = digesterFor(inside, size);
  try {
    for await (const chunk of decompressed(hashing(chunks, outer), { release: detach, lends: true })) {
      await inner.update(chunk);
      detach(chunk);
    }
    const [digest, diffID] = await Promise.all([outer.digest(), inner.digest()]);
    return { digest, diffID };
  } finally {
    outer.abandon();
    inner.abandon();
  }
};

async function* hashing(
  chunks: AsyncIterable<Uint8Array>,
  hash: { update(chunk: Uint8Array): Promise<void> },
): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    await hash.update(chunk);
    yield chunk;
  }
}

const layerPool: HashPool = new ThreadPool({
  script: layerScript,
  inPlace: async () => (await import("./layer-steps.ts")).layerSteps,
  most: threadsBesideThis,
});

const inThread = async (
  chunks: AsyncIterable<Uint8Array>,
  { algorithm, inside }: LayerToRead,
): Promise<LayerDigests> => {
  const hash = new ThreadedHash({ algorithm, inside, pool: layerPool });
  try {
    for await (const chunk of chunks) {
      await hash.update(chunk);
      detach(chunk);
    }
    const digest = await hash.digest();
    return { digest, diffID: hash.inside() };
  } finally {
    hash.abandon();
  }
};
