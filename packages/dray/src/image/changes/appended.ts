import { defined } from "../../defined.ts";
import { type Annotations, annotationKeys, type Compression, type Descriptor, mediaTypes } from "../../oci/index.ts";
import type { HistoryEntry } from "../config.ts";
import type { Change } from "../edit.ts";
import type { NewLayer } from "../layers/index.ts";
import type { Image } from "../views.ts";
import { ofLayers } from "./of-layers.ts";
import { changeTo } from "./steps.ts";

/** A layer to append, and how it came to be. */
export interface Addition {
  readonly layer: NewLayer;
  /** Default: an entry that says `dray append`. */
  readonly history?: HistoryEntry | undefined;
  /** Of the layer's descriptor. */
  readonly annotations?: Annotations | undefined;
}

/** What else appending does. */
export interface AppendOptions {
  /** Writes into the annotations of each image what it is based on: the digest that it had, and this name unless it is empty. Default: nothing. */
  readonly baseName?: string | undefined;
}

/**
 * Puts layers on top of an image, or of each image below an index. Media types follow the image: Docker's stay among Docker's.
 * @param additions bottom first; asked for each image, where they are not the same for all, as Windows layers are. Where there are none, the image stays as it is
 * @throws DrayError from `edit` `UNSUPPORTED` for what is no image, `MANIFEST_INVALID` where its configuration speaks of other layers than it has
 * @example
 * const layer = await ingestLayer(target.store, directoryTar("./public", { prefix: "srv/www" }));
 * const { store, root } = await edit(view, appended([{ layer, history: { created_by: "make site" } }]));
 * await copy({ ...base, store, name: root.digest }, target);
 */
export const appended = (
  additions: readonly Addition[] | ((image: Image) => Promise<readonly Addition[]>),
  { baseName }: AppendOptions = {},
): Change =>
  ofLayers(async (steps, image) => {
    const added = typeof additions === "function" ? await additions(image) : additions;
    if (added.length === 0 && baseName === undefined) return undefined;
    const change = changeTo([
      ...steps,
      ...added.map(({ layer, history, annotations }) => ({
        history: history ?? { created_by: "dray append" },
        layer: {
          diffID: layer.diffID,
          store: layer.store,
          descriptor: defined<Descriptor>({
            ...layer.descriptor,
            mediaType: layerTypeIn(image, layer.compression),
            annotations:
              layer.descriptor.annotations === undefined
                ? annotations
                : { ...layer.descriptor.annotations, ...annotations },
          }),
        },
      })),
    ]);
    return baseName === undefined ? change : { ...change, manifest: annotatedBase(image, baseName) };
  });

/** What a layer is called in an image: Docker has no name for zstd that other tools know. */
export const layerTypeIn = ({ descriptor }: Pick<Image, "descriptor">, compression: Compression): string => {
  if (compression === "zstd") return mediaTypes.ociLayerZstd;
  if (descriptor.mediaType === mediaTypes.dockerManifest)
    return compression === "gzip" ? mediaTypes.dockerLayerGzip : mediaTypes.dockerLayer;
  return compression === "gzip" ? mediaTypes.ociLayerGzip : mediaTypes.ociLayer;
};

const annotatedBase =
  ({ descriptor }: Image, name: string) =>
  (document: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> => ({
    ...document,
    annotations: {
      ...(document["annotations"] as Annotations | undefined),
      [annotationKeys.baseDigest]: descriptor.digest,
      ...(name === "" ? {} : { [annotationKeys.baseName]: name }),
    },
  });
