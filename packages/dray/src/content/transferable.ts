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

type Read = (...args: never) => AsyncIterable<Uint8Array>;

/** Functions that declared it. Nothing inherits, spreads or forwards a place in here: what wraps one of them is another function. */
const transferring = new WeakSet<object>();

/**
 * Declares of a `read` of a store or an `open` of content, this very function, that the chunks it gives are their reader's alone:
 * their memory may be transferred or given back once they are done with. It may not look at a chunk again after it was asked for
 * the next one.
 */
export const transfersChunks = <R extends Read>(read: R): R => {
  transferring.add(read);
  return read;
};

/** Whether chunks of this store or content may be taken over. */
export const isTransferring = (source: { read: Read } | { open: Read }): boolean =>
  transferring.has("read" in source ? source.read : source.open);

/** Declares of a function what is true of the source that it reads. */
export const transfersAs = <R extends Read>(source: { read: Read } | { open: Read }, read: R): R =>
  isTransferring(source) ? transfersChunks(read) : read;

/** The same bytes as nobody's own: for chunks of a store whose `read` is not declared by `transfersChunks`, and may have kept them. */
export async function* borrowed(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) yield chunk.subarray();
}

/**
 * Whether a chunk was handed over; from now on it is the caller's, buffer and all. Only for content whose `open` is
 * declared by `transfersChunks`: elsewhere
 * somebody up the line may have kept the chunk.
 */
export const claim = (chunk: Uint8Array): chunk is Uint8Array<ArrayBuffer> => owned.delete(chunk);

/** Gives the memory of a chunk back, if it was handed over; any other stays as it is. The chunk is empty afterwards. */
export const detach = (chunk: Uint8Array): void => {
  if (claim(chunk)) chunk.buffer.transfer(0);
};
