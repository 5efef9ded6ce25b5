import { defaultLevel, gzip } from "../compression/index.ts";
import {
  type Content,
  type Ingests,
  isTransferring,
  type JsonObject,
  meteredContent,
  type OnEvent,
  passedOver,
  type ReadableStore,
  transfersChunks,
} from "../content/index.ts";
import { defined } from "../defined.ts";
import { deflateFormat } from "../deflate/index.ts";
import { refuseNumber } from "../numbers.ts";
import { compressionOf, type Descriptor, type Digest, isObject, mediaTypes } from "../oci/index.ts";
import { type EstargzOptions, estargz as estargzOf } from "../seekable/index.ts";
import { type Edited, edit, type ImageChange } from "./edit.ts";
import type { Image, ImageIndex } from "./views.ts";

/** A layer that was compressed. */
export interface PushedLayer extends Descriptor {
  /** Digest of the tar inside, where that became another one. It is in no manifest. */
  readonly diffID?: Digest | undefined;
}

/**
 * The form in which an image is pushed: its uncompressed layers as gzip, and the manifests that name them.
 * @param compress puts one layer where the image is to go and says what it became; asked for the layers of an image side by side,
 *   and again for a layer that comes again
 */
export const pushForm = (
  view: Image | ImageIndex,
  compress: (layer: Descriptor) => Promise<PushedLayer>,
  options: { readonly signal?: AbortSignal } = {},
): Promise<Edited> => {
  const layersOf = async (image: Image): Promise<PushedLayer[]> => {
    const { layers } = await image.manifest();
    const settled = await Promise.allSettled(
      layers.map(async (layer) => (compressionOf(layer.mediaType) === "none" ? compress(layer) : layer)),
    );
    return settled.map((result) => {
      if (result.status === "rejected") throw result.reason;
      return result.value;
    });
  };
  const image = async (found: Image): Promise<ImageChange> => {
    const pushed = await layersOf(found);
    const layers = pushed.map(({ diffID: _diffID, ...descriptor }) => descriptor);
    return pushed.some(({ diffID }) => diffID !== undefined) ? { layers, config: withDiffIDs(pushed) } : { layers };
  };
  return edit(view, { image }, options);
};

const withDiffIDs =
  (layers: readonly PushedLayer[]) =>
  (config: JsonObject): JsonObject => {
    const { rootfs } = config;
    if (!isObject(rootfs) || !Array.isArray(rootfs["diff_ids"])) return config;
    const ids = (rootfs["diff_ids"] as unknown[]).map((id, i) => layers[i]?.diffID ?? id);
    return { ...config, rootfs: { ...rootfs, diff_ids: ids } };
  };

/** How layers are compressed. */
export interface CompressOptions {
  /** 1, the fastest, to 9, the smallest. Default 1, whose result is smaller than zlib's at its level 1. */
  readonly level?: number;
  /** What eStargz is to be made with: gzip of which single files can be read. The tar inside becomes another one. Default: none is made. */
  readonly estargz?: Omit<EstargzOptions, "level">;
  readonly signal?: AbortSignal;
  readonly onEvent?: OnEvent;
}

/**
 * Puts an uncompressed layer into a target as gzip. Nothing is kept on disk: the digest is known when the upload ends. The work is
 * done on all cores. The bytes, and so the digest, depend on the layer and the level alone: `deflateFormat` names what they are.
 * @returns the layer's new descriptor, and of eStargz the new diffID
 * @throws DrayError `UNSUPPORTED` where there is no WebAssembly, as with `node --jitless`; `USAGE` for a level that is none
 */
export const compressLayer = async (
  source: ReadableStore,
  target: Ingests,
  layer: Descriptor,
  { level = defaultLevel, estargz, signal, onEvent = () => {} }: CompressOptions = {},
): Promise<PushedLayer> => {
  refuseNumber("level", level, { to: 9 });
  const plain = meteredContent(source, layer, { verify: true, onEvent });
  const handsOver = isTransferring(plain);
  const seekable = estargz && estargzOf(plain, { ...estargz, level });
  const content: Content = seekable ?? {
    open: transfersChunks<Content["open"]>(({ offset = 0, signal: own } = {}) =>
      passedOver(offset, gzip(plain.open(own === undefined ? {} : { signal: own }), { level, handsOver })),
    ),
  };
  const mediaType = gzipTypeOf(layer.mediaType);
  const how = estargz === undefined ? "" : ` estargz ${JSON.stringify(estargz)}`;
  const key = `${deflateFormat}-${level}${how} ${layer.digest}`;
  const { digest, size } = await target.ingest(content, defined({ mediaType, kind: "blob", key, onEvent, signal }));
  onEvent({ type: "done", descriptor: layer });
  if (seekable === undefined) return { ...layer, mediaType, digest, size };
  const { diffID, annotations } = seekable.facts();
  return { ...layer, mediaType, digest, size, diffID, annotations: { ...layer.annotations, ...annotations } };
};

/**
 * The type that an uncompressed layer has as gzip.
 * @example gzipTypeOf(mediaTypes.ociLayer) // "application/vnd.oci.image.layer.v1.tar+gzip"
 */
export const gzipTypeOf = (mediaType: string): string =>
  mediaType === mediaTypes.dockerLayer ? mediaTypes.dockerLayerGzip : `${mediaType}+gzip`;
