import { errorIn, isDrayError } from "../errors.ts";
import {
  type Descriptor,
  type Digest,
  isDigest,
  isForeignLayerType,
  isObject,
  type Manifest,
  parseJson,
} from "../oci/index.ts";
import type { LastEntry } from "../tarball/index.ts";
import { configName, layerName } from "./entry-names.ts";
import { formatSavedImages, manifestFile, type SavedImage } from "./manifest-json.ts";
import { repoTag } from "./repo-tags.ts";
import type { WrittenImage } from "./written-images.ts";

/** What is asked about content that was written. */
export interface WrittenContent {
  has(descriptor: Descriptor): Promise<boolean>;
  /** All of it, in memory: of a config. */
  load(descriptor: Descriptor): Promise<Uint8Array>;
}

/** The end of an archive: how each piece of content is called, and the files that come last. */
export interface Ending {
  readonly names: ReadonlyMap<Digest, readonly string[]>;
  readonly last: readonly LastEntry[];
}

/** Works out the end of an archive from its images. */
export const compose = async (images: readonly WrittenImage[], content: WrittenContent): Promise<Ending> => {
  const names = new Map<Digest, Set<string>>();
  const give = ({ digest }: Descriptor, name: string): void => {
    const given = names.get(digest);
    if (given === undefined) names.set(digest, new Set([name]));
    else given.add(name);
  };
  const saved: SavedImage[] = [];
  for (const { manifest, name } of images) {
    give(manifest.config, configName(manifest.config));
    for (const layer of manifest.layers) {
      // Who copied the image may have left out what lies elsewhere by licence; the list still says where.
      if (!isForeignLayerType(layer.mediaType) || (await content.has(layer))) give(layer, layerName(layer));
    }
    saved.push({
      config: configName(manifest.config),
      repoTags: name === "" ? null : [repoTag(name)],
      layers: manifest.layers.map(layerName),
      layerSources: await foreignLayers(manifest, content),
    });
  }
  return {
    names: new Map([...names].map(([digest, given]) => [digest, [...given]])),
    last: [{ name: manifestFile, bytes: formatSavedImages(saved.sort(byNames)) }],
  };
};

const byNames = (one: SavedImage, other: SavedImage): number => {
  const [a, b] = [one.repoTags?.join(",") ?? "", other.repoTags?.join(",") ?? ""];
  return a < b ? -1 : a > b ? 1 : 0;
};

/** Layers that are not to be passed on, by their diffIDs. */
export const foreignLayers = async (manifest: Manifest, content: WrittenContent): Promise<Map<Digest, Descriptor>> => {
  const found = new Map<Digest, Descriptor>();
  if (!manifest.layers.some(({ mediaType }) => isForeignLayerType(mediaType))) return found;
  const diffIDs = await diffIDsOf(manifest.config, content);
  manifest.layers.forEach((layer, i) => {
    const diffID = diffIDs[i];
    if (isForeignLayerType(layer.mediaType) && isDigest(diffID)) found.set(diffID, layer);
  });
  return found;
};

const diffIDsOf = async (config: Descriptor, content: WrittenContent): Promise<readonly unknown[]> => {
  try {
    const value = parseJson(await content.load(config), `config ${config.digest}`);
    const rootfs = isObject(value) && isObject(value["rootfs"]) ? value["rootfs"] : {};
    return Array.isArray(rootfs["diff_ids"]) ? rootfs["diff_ids"] : [];
  } catch (error) {
    if (!isDrayError(error, "MANIFEST_INVALID")) throw error;
    throw errorIn(config.digest, error, { reference: config.digest });
  }
};
