import { defaultLevel, gzip } from "../compression/index.ts";
import {
  type Content,
  type Ingests,
  isTransferring,
  meteredContent,
  type OnEvent,
  passedOver,
  type ReadableStore,
  transfersChunks,
} from "../content/index.ts";
import { defined } from "../defined.ts";
import { deflateFormat } from "../deflate/index.ts";
import { refuseNumber } from "../numbers.ts";
import { compressionOf, type Descriptor, mediaTypes } from "../oci/index.ts";
import { type Edited, edit } from "./edit.ts";
import type { Image, ImageIndex } from "./views.ts";

/**
 * The form in which an image is pushed: its uncompressed layers as gzip, and the manifests that name them.
 * @param compress puts one layer where the image is to go and says what it became; asked for the layers of an image side by side,
 *   and again for a layer that comes again
 */
export const pushForm = (
  view: Image | ImageIndex,
  compress: (layer: Descriptor) => Promise<Descriptor>,
  options: { readonly signal?: AbortSignal } = {},
): Promise<Edited> => {
  const layersOf = async (image: Image): Promise<Descriptor[]> => {
    const { layers } = await image.manifest();
    const settled = await Promise.allSettled(
      layers.map(async (layer) => (compressionOf(layer.mediaType) === "none" ? compress(layer) : layer)),
    );
    return settled.map((result) => {
      if (result.status === "rejected") throw result.reason;
      return result.value;
    });
  };
  return edit(view, { image: async (image) => ({ layers: await layersOf(image) }) }, options);
};

/** How layers are compressed. */
export interface CompressOptions {
  /** 1, the fastest, to 9, the smallest. Default 1, whose result is smaller than zlib's at its level 1. */
  readonly level?: number;
  readonly signal?: AbortSignal;
  readonly onEvent?: OnEvent;
}

/**
 * Puts an uncompressed layer into a target as gzip. Nothing is kept on disk: the digest is known when the upload ends. The work is
 * done on all cores. The bytes, and so the digest, depend on the layer and the level alone: `deflateFormat` names what they are.
 * @returns the layer's new descriptor
 * @throws DrayError `UNSUPPORTED` where there is no WebAssembly, as with `node --jitless`; `USAGE` for a level that is none
 */
export const compressLayer = async (
  source: ReadableStore,
  target: Ingests,
  layer: Descriptor,
  { level = defaultLevel, signal, onEvent = () => {} }: CompressOptions = {},
): Promise<Descriptor> => {
  refuseNumber("level", level, { to: 9 });
  const plain = meteredContent(source, layer, { verify: true, onEvent });
  const handsOver = isTransferring(plain);
  const content: Content = {
    open: transfersChunks<Content["open"]>(({ offset = 0, signal: own } = {}) =>
      passedOver(offset, gzip(plain.open(own === undefined ? {} : { signal: own }), { level, handsOver })),
    ),
  };
  const mediaType = gzipTypeOf(layer.mediaType);
  const { digest, size } = await target.ingest(
    content,
    defined({ mediaType, kind: "blob", key: `${deflateFormat}-${level} ${layer.digest}`, onEvent, signal }),
  );
  onEvent({ type: "done", descriptor: layer });
  return { ...layer, mediaType, digest, size };
};

const gzipTypeOf = (mediaType: string): string =>
  mediaType === mediaTypes.dockerLayer ? mediaTypes.dockerLayerGzip : `${mediaType}+gzip`;
