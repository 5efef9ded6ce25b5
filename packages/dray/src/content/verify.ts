import { DrayError, isDrayError } from "../errors.ts";
import { digesterFor } from "../hash/index.ts";
import { algorithmOf, type Descriptor, type Digest, type DigestAlgorithm } from "../oci/index.ts";
import type { ReadOptions } from "./store.ts";
import { detach } from "./transferable.ts";

/**
 * Passes bytes on and checks them: one byte too many throws at once, one too few or a wrong digest throws at the end,
 * before the iteration ends well. Whoever reads to the end has what the descriptor promised.
 * @throws DrayError `SIZE_MISMATCH`, `DIGEST_MISMATCH`
 */
export async function* verified(chunks: AsyncIterable<Uint8Array>, descriptor: Digested): AsyncGenerator<Uint8Array> {
  const hash = digesterFor(algorithmOf(descriptor.digest), descriptor.size);
  try {
    for await (const chunk of hasSize(descriptor) ? sized(chunks, descriptor) : chunks) {
      await hash.update(chunk);
      yield chunk;
    }
    const found = await hash.digest();
    if (found !== descriptor.digest) throw digestMismatch(descriptor, found);
  } finally {
    hash.abandon();
  }
}

/** Content by its digest; nobody may know yet how large it is. */
export type Digested = Pick<Descriptor, "digest"> & { readonly size?: number | undefined };

const hasSize = (content: Digested): content is Sized => content.size !== undefined;

type Sized = Pick<Descriptor, "digest" | "size">;

/**
 * Passes bytes on and counts them against the descriptor's size, from `offset` on.
 * @throws DrayError `SIZE_MISMATCH`
 */
export async function* sized(
  chunks: AsyncIterable<Uint8Array>,
  descriptor: Sized,
  offset = 0,
  length: number = Number.POSITIVE_INFINITY,
): AsyncGenerator<Uint8Array> {
  let at = offset;
  for await (const chunk of chunks) {
    at += chunk.byteLength;
    if (at > descriptor.size) throw sizeMismatch(descriptor, "more");
    yield chunk;
  }
  if (at < Math.min(descriptor.size, offset + length)) throw sizeMismatch(descriptor, `only ${at}`);
}

/**
 * The bytes that a store's `read` was asked for: verified, or only counted where they are a part or whoever takes them checks.
 * @param explain says of a wrong size or digest what it means in this store
 * @throws DrayError `SIZE_MISMATCH`, `DIGEST_MISMATCH`
 */
export async function* checked(
  chunks: AsyncIterable<Uint8Array>,
  descriptor: Descriptor,
  { offset = 0, length, verify = true }: Pick<ReadOptions, "offset" | "length" | "verify">,
  explain: (error: DrayError) => unknown,
): AsyncGenerator<Uint8Array> {
  try {
    const isPart = offset > 0 || length !== undefined;
    yield* isPart || !verify ? sized(chunks, descriptor, offset, length) : verified(chunks, descriptor);
  } catch (error) {
    throw isDrayError(error, "DIGEST_MISMATCH", "SIZE_MISMATCH") ? explain(error) : error;
  }
}

/** The digest of bytes that are read for it alone, which are given back where they were handed over. */
export const hashed = async (
  chunks: AsyncIterable<Uint8Array>,
  algorithm: DigestAlgorithm,
  size: number,
): Promise<Digest> => {
  const hash = digesterFor(algorithm, size);
  try {
    for await (const chunk of chunks) {
      await hash.update(chunk);
      detach(chunk);
    }
    return await hash.digest();
  } finally {
    hash.abandon();
  }
};

/** The error for bytes whose digest is another one. */
export const digestMismatch = (descriptor: Digested, found: string): DrayError =>
  new DrayError(
    "DIGEST_MISMATCH",
    `content has digest ${found}, not ${descriptor.digest}: it was damaged or replaced on the way; try again or another source`,
    { reference: descriptor.digest },
  );

/** The error for content that is longer or shorter than its descriptor says. */
export const sizeMismatch = (descriptor: Sized, found: string): DrayError =>
  new DrayError(
    "SIZE_MISMATCH",
    `content ${descriptor.digest} should have ${descriptor.size} bytes, there are ${found}: it was cut or replaced on the way; try again or another source`,
    { reference: descriptor.digest },
  );
