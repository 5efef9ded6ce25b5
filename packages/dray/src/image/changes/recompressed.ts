import type { Ingests, ReadableStore } from "../../content/index.ts";
import { DrayError } from "../../errors.ts";
import { type Compression, compressionOf } from "../../oci/index.ts";
import type { Change } from "../edit.ts";
import type { IngestLayerOptions } from "../layers/index.ts";
import { ofLayers } from "./of-layers.ts";
import { isForeign, type RemakeOptions, Remaker } from "./remade.ts";
import { changeTo } from "./steps.ts";

/** Into what layers are compressed. */
export interface RecompressOptions extends RemakeOptions {
  /** Default `gzip`. */
  readonly compression?: Compression | undefined;
  /** As of `ingestLayer`. Default: what is compressed in this way already stays as it is. */
  readonly level?: number | undefined;
  /** As of `ingestLayer`: every layer becomes eStargz. */
  readonly estargz?: IngestLayerOptions["estargz"];
}

/**
 * Compresses the layers of an image, or of each below an index, in another way. What is in them stays the same, byte for byte, and so do their diffIDs and
 * the configuration; eStargz alone changes those. Layers that lie elsewhere by licence stay.
 * @param target where the new layers are put: the store that the image goes to
 * @throws DrayError from `edit` `USAGE` for a level that is none, `DIGEST_MISMATCH` for a layer that is not what the configuration says, `UNSUPPORTED` for an
 *   encrypted one
 * @example const { store, root } = await edit(view, recompressed(target.store, { compression: "zstd", level: 9 }));
 */
export const recompressed = (target: ReadableStore & Ingests, options: RecompressOptions = {}): Change => {
  const { compression = "gzip", level, estargz } = options;
  const remaker = new Remaker(target, () => ({ ...options, compression }));
  return ofLayers(async (steps, image) => {
    const after = await remaker.steps(image, steps, (layer) => {
      const isSame = compressionOf(layer.descriptor.mediaType) === compression;
      return isForeign(layer) || (isSame && level === undefined && estargz === undefined);
    });
    if (estargz === undefined)
      for (const [i, { layer }] of steps.entries()) {
        const made = after[i]?.layer;
        if (layer === undefined || made?.diffID === layer.diffID) continue;
        throw new DrayError(
          "DIGEST_MISMATCH",
          `layer ${layer.descriptor.digest} has the diffID ${made?.diffID}, and its configuration says ${layer.diffID}; no container runtime takes this image; build it again`,
          { reference: layer.descriptor.digest },
        );
      }
    return after.every((step, i) => step === steps[i]) ? undefined : changeTo(after);
  });
};
