import { gzip } from "../compression/index.ts";
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
  /** zlib's level. Default 2: the fastest whose size is near that of other tools, on both runtimes. */
  readonly level?: number;
  readonly signal?: AbortSignal;
  readonly onEvent?: OnEvent;
}

/**
 * Puts an uncompressed layer into a target as gzip. Nothing is kept on disk: the digest is known when the upload ends. The work is
 * done on all cores.
 * @returns the layer's new descriptor
 */
export const compressLayer = async (
  source: ReadableStore,
  target: Ingests,
  layer: Descriptor,
  { level = 2, signal, onEvent = () => {} }: CompressOptions = {},
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
    defined({ mediaType, kind: "blob", key: `gzip-${level}-dense ${layer.digest}`, onEvent, signal }),
  );
  onEvent({ type: "done", descriptor: layer });
  return { ...layer, mediaType, digest, size };
};

const gzipTypeOf = (mediaType: string): string =>
  mediaType === mediaTypes.dockerLayer ? mediaTypes.dockerLayerGzip : `${mediaType}+gzip`;
