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
import { DrayError, isDrayError } from "../errors.ts";
import {
  type Descriptor,
  type Digest,
  type Index,
  isConfigType,
  isDigest,
  isObject,
  largestManifest,
  type Manifest,
  type Parsed,
  type Platform,
  parseJson,
  type WantedPlatform,
  wantedPlatform,
} from "../oci/index.ts";

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
  /** Bottom layer first. */
  layers(): Promise<Layer[]>;
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
}

/** One layer of an image. */
export interface Layer {
  readonly descriptor: Descriptor;
  /** Digest of the uncompressed tar, where the configuration names one. */
  readonly diffID: Digest | undefined;
  /** The bytes as they lie in the store; checked while they are read. */
  compressed(options?: Omit<ReadOptions, "kind">): AsyncIterable<Uint8Array>;
  /** The tar inside, from its beginning. */
  uncompressed(options?: Omit<ReadOptions, "kind" | "offset">): AsyncIterable<Uint8Array>;
}

/** An image configuration. @see https://github.com/opencontainers/image-spec/blob/main/config.md */
export interface ImageConfig {
  readonly os?: string;
  readonly architecture?: string;
  readonly variant?: string;
  readonly "os.version"?: string;
  readonly "os.features"?: readonly string[];
  /** RFC 3339. */
  readonly created?: string;
  readonly author?: string;
  /** How a container of it is run. */
  readonly config?: ContainerConfig;
  readonly rootfs?: { readonly type?: string; readonly diff_ids?: readonly string[] };
  readonly history?: readonly HistoryEntry[];
}

/** How a container is run, under the names that Docker gave the members. Each may be left out, or `null`. */
export interface ContainerConfig {
  readonly User?: string | null;
  /** `NAME=value` */
  readonly Env?: readonly string[] | null;
  readonly Entrypoint?: readonly string[] | null;
  readonly Cmd?: readonly string[] | null;
  readonly WorkingDir?: string | null;
  readonly Labels?: Readonly<Record<string, string>> | null;
  /** `8080/tcp` and the like, each with an empty object. */
  readonly ExposedPorts?: Readonly<Record<string, object>> | null;
  readonly Volumes?: Readonly<Record<string, object>> | null;
  readonly StopSignal?: string | null;
}

/** How one layer came to be, or a step that made none. */
export interface HistoryEntry {
  readonly created?: string;
  readonly created_by?: string;
  readonly author?: string;
  readonly comment?: string;
  readonly empty_layer?: boolean;
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
  return {
    kind: "image",
    store,
    descriptor,
    bytes: async () => bytes,
    manifest: async () => manifest,
    configBytes: readConfig,
    config,
    layers: async () => {
      const ids = await diffIDs();
      return manifest.layers.map((layer, i) => layerOf(store, layer, ids[i]));
    },
  };
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
  descriptor,
  diffID: isDigest(diffID) ? diffID : undefined,
  compressed: (options) => store.read(descriptor, { ...options, kind: "blob" }),
  // An offset, which a program without types may give, would lie among compressed bytes.
  uncompressed: (options) => decompressed(store.read(descriptor, { ...options, offset: undefined, kind: "blob" })),
});

const asConfig = (bytes: Uint8Array, descriptor: Descriptor): Parsed<ImageConfig> => {
  const value = parseJson(bytes, `configuration ${descriptor.digest}`);
  if (!isObject(value)) throw new DrayError("MANIFEST_INVALID", `configuration ${descriptor.digest} is no JSON object`);
  return value;
};

/** The platform a configuration says its image is for. */
export const platformOf = (config: ImageConfig): Platform | undefined =>
  typeof config.os !== "string" || typeof config.architecture !== "string"
    ? undefined
    : {
        os: config.os,
        architecture: config.architecture,
        ...(typeof config.variant === "string" && config.variant !== "" ? { variant: config.variant } : {}),
        ...(typeof config["os.version"] === "string" ? { "os.version": config["os.version"] } : {}),
      };
