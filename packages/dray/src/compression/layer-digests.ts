import { claim } from "../content/index.ts";
import { DrayError, exitCodes } from "../errors.ts";
import { digesterFor, HashPool, hashInsideInThread, worthItsThread } from "../hash/index.ts";
import type { Digest, DigestAlgorithm } from "../oci/index.ts";
import { decompressed } from "./decompress.ts";

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
  worthItsThread(layer.size) ? inThread(chunks, layer) : inPlace(chunks, layer);

const inPlace = async (
  chunks: AsyncIterable<Uint8Array>,
  { size, algorithm, inside }: LayerToRead,
): Promise<LayerDigests> => {
  const outer = digesterFor(algorithm, size);
  const inner = digesterFor(inside, size);
  try {
    for await (const chunk of decompressed(hashing(chunks, outer), { handsOver: true }))
      await (claim(chunk) ? inner.give(chunk) : inner.update(chunk));
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

/** Beside this file in the sources and in the built package; flat beside the main one in an executable. */
const workerUrl = (): URL =>
  new URL(import.meta.url.endsWith(".ts") ? "./layer.worker.ts" : "./layer.worker.js", import.meta.url);

const layerPool = new HashPool(workerUrl());

const inThread = async (
  chunks: AsyncIterable<Uint8Array>,
  { algorithm, inside }: LayerToRead,
): Promise<LayerDigests> => {
  const hash = hashInsideInThread(layerPool, algorithm, inside);
  /** An error of the thread has crossed over as words and a code. */
  const ours = async <T>(step: Promise<T>): Promise<T> => {
    try {
      return await step;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (error instanceof DrayError || code === undefined || !Object.hasOwn(exitCodes, code)) throw error;
      throw new DrayError(code as keyof typeof exitCodes, (error as Error).message, { cause: error });
    }
  };
  try {
    for await (const chunk of chunks) await ours(claim(chunk) ? hash.give(chunk) : hash.update(chunk));
    const digest = await ours(hash.digest());
    return { digest, diffID: hash.inside() };
  } finally {
    hash.abandon();
  }
};
