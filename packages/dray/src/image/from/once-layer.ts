import { teed } from "../../async/index.ts";
import { decompressed } from "../../compression/index.ts";
import { borrowed, type Content } from "../../content/index.ts";
import { DrayError } from "../../errors.ts";
import { digesterFor } from "../../hash/index.ts";
import type { Descriptor, Digest } from "../../oci/index.ts";

/** A layer whose bytes come once, such as those of a pipe: what it is is known when they have been read. */
export interface OnceLayer {
  readonly mediaType: string;
  /** Its bytes, which can be opened once: `ingest` of a store takes it. @throws DrayError `CONSUMED` the second time */
  readonly content: Content;
  /** What it turned out to be. @throws DrayError `NOT_COMPUTED` before it has been read to its end */
  readonly descriptor: Descriptor;
  /** Digest of the tar inside. @throws DrayError `NOT_COMPUTED` before it has been read to its end */
  readonly diffID: Digest;
}

/**
 * A layer from bytes that can be read once. They are passed on as they come, and both digests are computed on the way; nothing is kept.
 * @param chunks a tar, compressed or not, as `mediaType` says
 * @throws DrayError from its bytes `MANIFEST_INVALID` where compressed ones are damaged, and what `chunks` throws
 * @example
 * const layer = onceLayer(process.stdin, mediaTypes.ociLayerGzip);
 * await repository.ingest(layer.content, layer);
 * console.log(layer.descriptor.digest, layer.diffID);
 */
export const onceLayer = (chunks: AsyncIterable<Uint8Array>, mediaType: string): OnceLayer => {
  let opened = false;
  let known: { readonly descriptor: Descriptor; readonly diffID: Digest } | undefined;
  const content: Content = {
    open: () => {
      if (opened)
        throw new DrayError(
          "CONSUMED",
          "the layer comes from a stream that was read already; keep it in a file to read it again",
        );
      opened = true;
      return digested(chunks, mediaType, (found) => void (known = found));
    },
  };
  const found = (): NonNullable<typeof known> => {
    if (known !== undefined) return known;
    throw new DrayError("NOT_COMPUTED", "the layer comes from a stream; its digests are known when that has been read");
  };
  return {
    mediaType,
    content,
    get descriptor() {
      return found().descriptor;
    },
    get diffID() {
      return found().diffID;
    },
  };
};

/** Passes bytes on, and tells at the end what they were. */
async function* digested(
  chunks: AsyncIterable<Uint8Array>,
  mediaType: string,
  tell: (found: { readonly descriptor: Descriptor; readonly diffID: Digest }) => void,
): AsyncGenerator<Uint8Array> {
  const outer = digesterFor("sha256");
  let size = 0;
  async function* hashing(): AsyncGenerator<Uint8Array> {
    for await (const chunk of chunks) {
      size += chunk.byteLength;
      await outer.update(chunk);
      yield chunk;
    }
  }
  try {
    const diffID = yield* teed(hashing(), digestInside);
    tell({ descriptor: { mediaType, digest: await outer.digest(), size }, diffID });
  } finally {
    outer.abandon();
  }
}

const digestInside = async (chunks: AsyncIterable<Uint8Array>): Promise<Digest> => {
  const hash = digesterFor("sha256");
  try {
    for await (const chunk of decompressed(borrowed(chunks), { lends: true })) await hash.update(chunk);
    return await hash.digest();
  } finally {
    hash.abandon();
  }
};
