import { forEachConcurrent, type LazyMap, type Semaphore } from "../async/index.ts";
import { layerDigests, sniffCompression } from "../compression/index.ts";
import { collect, hashed } from "../content/index.ts";
import { DrayError, errorIn, isDrayError } from "../errors.ts";
import {
  algorithmOf,
  type Compression,
  type Descriptor,
  type Digest,
  digestOf,
  encodeJson,
  hexOf,
  isDigest,
  isForeignLayerType,
  isObject,
  largestManifest,
  liesElsewhere,
  mediaTypes,
  parseJson,
} from "../oci/index.ts";
import type { IndexedEntry } from "../tar/index.ts";
import type { OpenTar, TarFile } from "../tarball/index.ts";
import { manifestFile, type SavedImage } from "./manifest-json.ts";

/** Where content of an archive is: an entry, or bytes in memory. */
export type Held = IndexedEntry | Uint8Array;

/** An image of an archive: the manifest that was made for it, and where everything it names is. */
export interface FoundImage {
  readonly manifest: Descriptor;
  /** The digest of its config, which Docker calls the image's ID. */
  readonly id: Digest;
  readonly held: ReadonlyMap<Digest, Held>;
}

/** An archive that is open. */
export interface OpenArchive extends OpenTar {
  /** Digests of compressed layers that had to be computed, by place and diffID. */
  readonly digests: LazyMap<string, Digest>;
  readonly hashing: Semaphore;
}

/** Layers of one image that are looked at side by side: each opens the file. */
const layersAtOnce = 16;

/**
 * An archive has no manifests; this makes one over the layers as they lie. An uncompressed layer is known by its diffID, and its
 * bytes are checked when they are read. Types are Docker's, as whoever saved the image had them; zstd, which Docker's schema 2 does not
 * know, makes it an OCI image. `application/vnd.docker.image.rootfs.diff.tar` for uncompressed layers is in no
 * document, but Docker's registry, Docker, containerd and podman all know it.
 * @throws DrayError `ARCHIVE_INVALID` naming archive and entry
 */
export const findImage = async (archive: OpenArchive, saved: SavedImage, signal?: AbortSignal): Promise<FoundImage> => {
  const config = await readConfig(archive, saved.config, signal);
  const diffIDs = diffIDsOf(archive.tar.what, saved, config);
  const layers: FoundLayer[] = new Array(saved.layers.length);
  await forEachConcurrent(saved.layers.entries(), layersAtOnce, async ([i, path]) => {
    layers[i] = await findLayer(archive, saved, path, diffIDs[i] as Digest, signal);
  });
  const types = layers.some(({ how }) => how === "zstd") ? ociTypes : dockerTypes;
  const id = digestOf(config);
  const manifest = encodeJson({
    schemaVersion: 2,
    mediaType: types.manifest,
    config: { mediaType: types.config, size: config.byteLength, digest: id },
    layers: layers.map(({ foreign, how, size, digest }) => foreign ?? { mediaType: types[how], size, digest }),
  });
  const held = new Map<Digest, Held>([[id, config]]);
  for (const { digest, entry } of layers) if (entry !== undefined) held.set(digest, entry);
  const digest = digestOf(manifest);
  held.set(digest, manifest);
  return { manifest: { mediaType: types.manifest, digest, size: manifest.byteLength }, id, held };
};

const dockerTypes = {
  manifest: mediaTypes.dockerManifest,
  config: mediaTypes.dockerConfig,
  none: mediaTypes.dockerLayer,
  gzip: mediaTypes.dockerLayerGzip,
  zstd: mediaTypes.dockerLayerZstd,
};
const ociTypes = {
  manifest: mediaTypes.ociManifest,
  config: mediaTypes.ociConfig,
  none: mediaTypes.ociLayer,
  gzip: mediaTypes.ociLayerGzip,
  zstd: mediaTypes.ociLayerZstd,
};

const readConfig = async ({ tar, members }: OpenArchive, path: string, signal?: AbortSignal): Promise<Uint8Array> => {
  const entry = await members.find(path, signal);
  if (entry === undefined) throw invalid(tar.what, `has no file "${path}", which ${manifestFile} names as a config`);
  const bytes = await collect(tar.read(entry, { signal }), largestManifest, `the config "${path}" in ${tar.what}`);
  // Everybody names configs by their digest, in one form or another. One that does not fit was damaged or edited.
  const [, algorithm = "sha256", hex = ""] =
    /^(?:blobs\/)?(?:(sha256|sha512)[:/])?([0-9a-f]{64}|[0-9a-f]{128})(?:\.json)?$/.exec(path) ?? [];
  const named = `${algorithm}:${hex}`;
  if (isDigest(named) && digestOf(bytes, algorithm as "sha256" | "sha512") !== named)
    throw invalid(tar.what, `has a config "${path}" whose bytes do not have the digest in its name: it is damaged`);
  return bytes;
};

const diffIDsOf = (what: string, { config, layers }: SavedImage, bytes: Uint8Array): Digest[] => {
  let value: unknown;
  try {
    value = parseJson(bytes, `config "${config}"`);
  } catch (error) {
    throw errorIn(what, error, { code: "ARCHIVE_INVALID" });
  }
  const rootfs = isObject(value) && isObject(value["rootfs"]) ? value["rootfs"] : {};
  const diffIDs: unknown = rootfs["diff_ids"] ?? [];
  if (!Array.isArray(diffIDs) || !diffIDs.every(isDigest))
    throw invalid(what, `has a config "${config}" whose rootfs.diff_ids is no list of digests`);
  if (diffIDs.length !== layers.length)
    throw invalid(
      what,
      `has ${layers.length} layers for config "${config}", which has ${diffIDs.length} rootfs.diff_ids; it is damaged, or holds no runnable image`,
    );
  return diffIDs;
};

interface FoundLayer {
  readonly how: Compression;
  readonly digest: Digest;
  readonly size: number;
  readonly entry?: IndexedEntry;
  /** A layer whose bytes lie elsewhere by licence: the descriptor that says where. */
  readonly foreign?: Descriptor;
}

const findLayer = async (
  archive: OpenArchive,
  saved: SavedImage,
  path: string,
  diffID: Digest,
  signal?: AbortSignal,
): Promise<FoundLayer> => {
  const { tar, members } = archive;
  const source = saved.layerSources.get(diffID);
  const entry = await members.find(path, signal);
  if (source !== undefined && isForeignLayerType(source.mediaType)) {
    const here = entry?.size === source.size ? { entry } : {};
    if (entry !== undefined || liesElsewhere(source))
      return { how: "none", digest: source.digest, size: source.size, foreign: source, ...here };
  }
  if (entry === undefined) throw invalid(tar.what, `has no file "${path}", which ${manifestFile} names as a layer`);
  const { size } = entry;
  const how = sniffCompression(await collect(tar.read(entry, { length: 4, signal }), 4, path));
  if (how === "none") return { how, digest: diffID, size, entry };
  const compute = (): Promise<Digest> =>
    archive.hashing.run(signal, () => soundDigest(tar, entry, path, diffID, signal));
  const digest = claimedDigest(path, source, size) ?? (await archive.digests.get(`${entry.offset} ${diffID}`, compute));
  return { how, digest, size, entry };
};

/** The digest of a compressed layer where the archive says it. Whoever takes the bytes checks it, here as everywhere. */
const claimedDigest = (path: string, source: Descriptor | undefined, size: number): Digest | undefined => {
  if (source !== undefined && source.size === size) return source.digest;
  const [, algorithm, hex] = /^(?:\.\/)?blobs\/(sha256|sha512)\/([0-9a-f]+)$/.exec(path) ?? [];
  const named = `${algorithm}:${hex}`;
  return isDigest(named) ? named : undefined;
};

/**
 * The digest of a layer of whatever name. One that is named by it, as crane names them, is sound. Other names promise nothing, and
 * what looks like a digest may be that of the layer before it was compressed: only the diffID says what should be there.
 */
const soundDigest = async (
  tar: TarFile,
  entry: IndexedEntry,
  path: string,
  diffID: Digest,
  signal: AbortSignal | undefined,
): Promise<Digest> => {
  if (/[0-9a-f]{64}/.test(path)) {
    const digest = await hashed(tar.read(entry, { signal }), "sha256", entry.size);
    if (path.includes(hexOf(digest))) return digest;
  }
  const layer = { size: entry.size, algorithm: "sha256", inside: algorithmOf(diffID) } as const;
  try {
    const { digest, diffID: found } = await layerDigests(tar.read(entry, { signal }), layer);
    if (found === diffID) return digest;
    throw invalid(
      tar.what,
      `has a layer "${path}" whose content is ${found}, not ${diffID}: it is damaged; save it again`,
    );
  } catch (error) {
    if (!isDrayError(error, "MANIFEST_INVALID")) throw error;
    const fault = `${tar.what}, layer "${path}": ${error.message}; save it again`;
    throw new DrayError("ARCHIVE_INVALID", fault, { cause: error });
  }
};

const invalid = (what: string, fault: string): DrayError => new DrayError("ARCHIVE_INVALID", `${what} ${fault}`);
