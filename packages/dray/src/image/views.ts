import { Lazy } from "../async/index.ts";
import { decompressed } from "../compression/index.ts";
import {
  collect,
  fittingChild,
  type LoadedManifest,
  loadManifest,
  type ReadableStore,
  type ReadOptions,
} from "../content/index.ts";
import { DrayError, firstOf, isDrayError } from "../errors.ts";
import {
  type Descriptor,
  type Digest,
  type Index,
  isConfigType,
  isDigest,
  largestManifest,
  type Manifest,
  type Parsed,
  type Platform,
  type WantedPlatform,
  wantedPlatform,
} from "../oci/index.ts";
import { asConfig, type ImageConfig, platformOf } from "./config.ts";
import { explained, refuseEncrypted } from "./readable-layer.ts";

/** A view over an image in a store. Nothing is read before it is asked for; what was read is kept, but for layers. */
export interface Image {
  readonly kind: "image";
  /** Where the image is. */
  readonly store: ReadableStore;
  readonly descriptor: Descriptor;
  /** The manifest's bytes, as they lie in the store. */
  bytes(): Promise<Uint8Array>;
  manifest(): Promise<Manifest>;
  /** The configuration's bytes. */
  configBytes(): Promise<Uint8Array>;
  /** The configuration, unknown members and all. */
  config(): Promise<Parsed<ImageConfig>>;
  /** What the configuration says that it runs on; `undefined` where it says nothing, as an artifact's. */
  platform(): Promise<Platform | undefined>;
  /** Bottom layer first. */
  layers(): Promise<Layer[]>;
  /**
   * The layer of these bytes; the lowest, where several are the same.
   * @throws DrayError `NOT_FOUND` naming those there are
   */
  layerByDigest(digest: Digest): Promise<Layer>;
  /**
   * The layer with this content, however it is compressed; the lowest, where several are the same.
   * @throws DrayError `NOT_FOUND` naming those there are
   */
  layerByDiffID(diffID: Digest): Promise<Layer>;
  /** Bytes of configuration and layers, each content once: what a pull moves besides the manifest, whose own size the descriptor says. */
  contentSize(): Promise<number>;
}

/** A view over an index. */
export interface ImageIndex {
  readonly kind: "index";
  readonly store: ReadableStore;
  readonly descriptor: Descriptor;
  bytes(): Promise<Uint8Array>;
  index(): Promise<Index>;
  /**
   * The image that serves a platform best.
   * @param platform as text (`linux/arm64/v8`) or taken apart
   * @throws DrayError `NOT_FOUND`, `PLATFORM_INVALID`, `USAGE`
   */
  image(platform: string | WantedPlatform): Promise<Image>;
  /**
   * A view over one of its entries, by the digest of that.
   * @throws DrayError `NOT_FOUND`; `UNSUPPORTED` where the entry is no image and no index
   */
  child(digest: Digest): Promise<Image | ImageIndex>;
}

/** One layer of an image. */
export interface Layer {
  /** Where the layer is. */
  readonly store: ReadableStore;
  readonly descriptor: Descriptor;
  /** Digest of the uncompressed tar, where the configuration names one. */
  readonly diffID: Digest | undefined;
  /** The bytes as they lie in the store; checked while they are read. */
  compressed(options?: Omit<ReadOptions, "kind">): AsyncIterable<Uint8Array>;
  /**
   * The tar inside, from its beginning.
   * @throws DrayError `UNSUPPORTED` for an encrypted layer
   */
  uncompressed(options?: Omit<ReadOptions, "kind" | "offset">): AsyncIterable<Uint8Array>;
}

/**
 * Looks at a manifest or index in a store.
 * @throws DrayError `UNSUPPORTED` for schema 1, `MANIFEST_INVALID`
 * @example
 * const view = await viewOf(store, await store.resolve("1.0"));
 * if (view.kind === "image") console.log(await view.config());
 */
export const viewOf = async (
  store: ReadableStore,
  descriptor: Descriptor,
  options?: Pick<ReadOptions, "signal">,
): Promise<Image | ImageIndex> => viewOfLoaded(store, await loadManifest(store, descriptor, options), options);

/** As `viewOf`, for a manifest that is in memory. */
export const viewOfLoaded = (
  store: ReadableStore,
  loaded: LoadedManifest,
  options?: Pick<ReadOptions, "signal">,
): Image | ImageIndex => {
  const { descriptor, bytes, parsed } = loaded;
  if (parsed.kind === "schema1" || parsed.kind === "artifact")
    throw new DrayError(
      "UNSUPPORTED",
      `${descriptor.digest} is ${parsed.kind === "schema1" ? "a Docker schema 1 image" : "an artifact manifest"}, which can be copied but not looked into; push it again with a current tool`,
      { reference: descriptor.digest },
    );
  if (parsed.kind === "index") {
    const { index } = parsed;
    return {
      kind: "index",
      store,
      descriptor,
      bytes: async () => bytes,
      index: async () => index,
      image: (platform) => imageOf(store, descriptor, index, platform, options),
      child: async (digest) => {
        const entry = index.manifests.find((each) => each.digest === digest);
        if (entry !== undefined) return viewOf(store, entry, options);
        throw notAmong(digest, index.manifests, `index ${descriptor.digest}`, "entry");
      },
    };
  }
  const { manifest } = parsed;
  const configBytes = new Lazy<Uint8Array>();
  const readConfig = (): Promise<Uint8Array> =>
    configBytes.get(() =>
      collect(
        store.read(manifest.config, { ...options, kind: "blob" }),
        largestManifest,
        `configuration ${manifest.config.digest}`,
      ),
    );
  const config = async (): Promise<Parsed<ImageConfig>> => asConfig(await readConfig(), manifest.config);
  /** An artifact's configuration may be anything: its layers are in its manifest. */
  const diffIDs = async (): Promise<readonly string[]> => {
    try {
      const { rootfs } = await config();
      return Array.isArray(rootfs?.diff_ids) ? rootfs.diff_ids : [];
    } catch (error) {
      if (!isConfigType(manifest.config.mediaType) && isDrayError(error, "MANIFEST_INVALID", "LIMIT_EXCEEDED"))
        return [];
      throw error;
    }
  };
  const layers = async (): Promise<Layer[]> => {
    const ids = await diffIDs();
    return manifest.layers.map((layer, i) => layerOf(store, layer, ids[i]));
  };
  const what = `image ${descriptor.digest}`;
  return {
    kind: "image",
    store,
    descriptor,
    bytes: async () => bytes,
    manifest: async () => manifest,
    configBytes: readConfig,
    config,
    platform: async () => (isConfigType(manifest.config.mediaType) ? platformOf(await config()) : undefined),
    layers,
    layerByDigest: async (digest) => {
      const found = (await layers()).find((layer) => layer.descriptor.digest === digest);
      if (found !== undefined) return found;
      throw notAmong(digest, manifest.layers, what, "layer");
    },
    layerByDiffID: async (diffID) => {
      const all = await layers();
      const found = all.find((layer) => layer.diffID === diffID);
      if (found !== undefined) return found;
      const known = all.flatMap((layer) => (layer.diffID === undefined ? [] : [{ digest: layer.diffID }]));
      throw notAmong(diffID, known, what, "layer with diffID");
    },
    contentSize: async () => {
      const sizes = new Map([manifest.config, ...manifest.layers].map(({ digest, size }) => [digest, size]));
      return [...sizes.values()].reduce((sum, size) => sum + size, 0);
    },
  };
};

const notAmong = (
  digest: string,
  known: readonly Pick<Descriptor, "digest">[],
  where: string,
  kind: string,
): DrayError => {
  const there = firstOf(known.map((each) => each.digest)) || "none";
  return new DrayError("NOT_FOUND", `${where} has no ${kind} ${digest}; it has ${there}`, { reference: digest });
};

const imageOf = async (
  store: ReadableStore,
  descriptor: Descriptor,
  index: Index,
  platform: string | WantedPlatform,
  options?: Pick<ReadOptions, "signal">,
): Promise<Image> => {
  const entry = await fittingChild(store, index, wantedPlatform(platform), descriptor, options);
  const view = await viewOf(store, entry, options);
  return view.kind === "image" ? view : view.image(platform);
};

const layerOf = (store: ReadableStore, descriptor: Descriptor, diffID: string | undefined): Layer => ({
  store,
  descriptor,
  diffID: isDigest(diffID) ? diffID : undefined,
  compressed: (options) => explained(store.read(descriptor, { ...options, kind: "blob" }), descriptor),
  uncompressed: (options) => {
    refuseEncrypted(descriptor);
    // An offset, which a program without types may give, would lie among compressed bytes.
    return decompressed(explained(store.read(descriptor, { ...options, offset: undefined, kind: "blob" }), descriptor));
  },
});
