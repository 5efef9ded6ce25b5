/**
 * Memory of chunks whose only owner is whoever reads them next. A collector learns of their size late: while hundreds of
 * megabytes pass through, it lets a hundred lie about. Giving each back as soon as it is written keeps memory low, and the
 * same pages in the processor's cache.
 */
const owned = new WeakSet<Uint8Array>();

/** Says that a chunk fills a buffer of its own, which nobody else will look at again. */
export const transferable = (chunk: Uint8Array): Uint8Array => {
  if (chunk.byteLength === chunk.buffer.byteLength) owned.add(chunk);
  return chunk;
};

/** The same bytes as nobody's own: for chunks of a store that does not declare `TransfersChunks`, and may have kept them. */
export async function* borrowed(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) yield chunk.subarray();
}

/**
 * Whether a chunk was handed over; from now on it is the caller's, buffer and all. Only for content that `handsOver`: elsewhere
 * somebody up the line may have kept the chunk.
 */
export const claim = (chunk: Uint8Array): chunk is Uint8Array<ArrayBuffer> => owned.delete(chunk);

/** Gives the memory of a chunk back, if it was handed over; any other stays as it is. The chunk is empty afterwards. */
export const detach = (chunk: Uint8Array): void => {
  if (claim(chunk)) chunk.buffer.transfer(0);
};
