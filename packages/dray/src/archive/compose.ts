import { collect } from "../content/index.ts";
import { errorIn, isDrayError } from "../errors.ts";
import {
  type Descriptor,
  type Digest,
  isDigest,
  isForeignLayerType,
  isObject,
  largestManifest,
  liesElsewhere,
  type Manifest,
  parseJson,
} from "../oci/index.ts";
import type { TarSink } from "../tarball/index.ts";
import { configName, layerName } from "./entry-names.ts";
import { formatSavedImages, manifestFile, type SavedImage } from "./manifest-json.ts";
import { repoTag } from "./repo-tags.ts";
import type { WrittenImage } from "./written-images.ts";

/** Ends an archive: each piece of content under the name that loaders look for, and last the list of its images. */
export const finishImages = async (images: readonly WrittenImage[], sink: TarSink): Promise<void> => {
  const names = new Map<Digest, readonly string[]>();
  const give = ({ digest }: Descriptor, name: string): void => {
    names.set(digest, [...new Set([...(names.get(digest) ?? []), name])]);
  };
  const saved: SavedImage[] = [];
  for (const { manifest, name } of images) {
    give(manifest.config, configName(manifest.config));
    const layerSources = await foreignLayers(manifest, sink);
    for (const layer of manifest.layers)
      if (!(await isLeftOut(layer, layerSources, sink))) give(layer, layerName(layer));
    saved.push({
      config: configName(manifest.config),
      repoTags: name === "" ? null : [repoTag(name)],
      layers: manifest.layers.map(layerName),
      layerSources,
    });
  }
  await sink.finish(names, [{ name: manifestFile, bytes: formatSavedImages(saved.sort(byNames)) }]);
};

const byNames = (one: SavedImage, other: SavedImage): number => {
  const [a, b] = [one.repoTags?.join(",") ?? "", other.repoTags?.join(",") ?? ""];
  return a < b ? -1 : a > b ? 1 : 0;
};

/** Content that was written. */
type Written = Pick<TarSink, "read">;

/** Whether a layer is not there because it lies elsewhere by licence, and the list says where. Any other one that is not there was forgotten. */
export const isLeftOut = async (
  layer: Descriptor,
  sources: ReadonlyMap<Digest, Descriptor>,
  sink: Pick<TarSink, "has">,
): Promise<boolean> => liesElsewhere(layer) && [...sources.values()].includes(layer) && !(await sink.has(layer));

/** A config that was written, in memory. */
export const loadConfig = (sink: Written, config: Descriptor): Promise<Uint8Array> =>
  collect(sink.read(config), largestManifest, `config ${config.digest}`);

/** Layers that are not to be passed on, by their diffIDs. */
export const foreignLayers = async (manifest: Manifest, sink: Written): Promise<Map<Digest, Descriptor>> => {
  const found = new Map<Digest, Descriptor>();
  if (!manifest.layers.some(({ mediaType }) => isForeignLayerType(mediaType))) return found;
  const diffIDs = await diffIDsOf(manifest.config, sink);
  manifest.layers.forEach((layer, i) => {
    const diffID = diffIDs[i];
    if (isForeignLayerType(layer.mediaType) && isDigest(diffID)) found.set(diffID, layer);
  });
  return found;
};

const diffIDsOf = async (config: Descriptor, sink: Written): Promise<readonly unknown[]> => {
  try {
    const value = parseJson(await loadConfig(sink, config), `config ${config.digest}`);
    const rootfs = isObject(value) && isObject(value["rootfs"]) ? value["rootfs"] : {};
    return Array.isArray(rootfs["diff_ids"]) ? rootfs["diff_ids"] : [];
  } catch (error) {
    if (!isDrayError(error, "MANIFEST_INVALID")) throw error;
    throw errorIn(config.digest, error, { reference: config.digest });
  }
};
