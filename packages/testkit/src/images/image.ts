import {
  type Compression,
  type Descriptor,
  type Digest,
  digestOf,
  encodeJson,
  mediaTypes,
  type Platform,
} from "dray/oci";
import { seededBytes } from "../files/index.ts";
import { describeBytes, type Sample, type SampleMembers, sampleOf } from "./sample.ts";
import { storedGzip, storedZstd } from "./stored.ts";
import { tar } from "./tar.ts";

export interface SampleImageOptions extends SampleMembers {
  /** How many layers. Default 2. */
  readonly layers?: number;
  /** Bytes of files in each layer, before compression; incompressible. Default 1000. */
  readonly layerSize?: number;
  /** The layers themselves, as tars, bottom first, in place of ones made from the seed. */
  readonly tars?: readonly Uint8Array[];
  /** Members of the configuration that are others. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Default `gzip`. */
  readonly compression?: Compression;
  /** Default `linux/amd64`. */
  readonly platform?: Platform;
  /** `true`: Docker's media types in place of OCI's. Default `false`. */
  readonly docker?: boolean;
}

export interface SampleImage extends Sample {
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
  /** Digests of the layers uncompressed. */
  readonly diffIDs: readonly Digest[];
  readonly platform: Platform;
}

/**
 * A small image with real layers: a tar of files each, made from the seed.
 * @example const image = sampleImage({ seed: "a", layers: 3, compression: "zstd" });
 */
export const sampleImage = (options: SampleImageOptions = {}): SampleImage => {
  const { seed = "sample", layers: count = 2, layerSize = 1000, compression = "gzip", docker = false } = options;
  const { platform = { os: "linux", architecture: "amd64" } } = options;
  const { tars = Array.from({ length: count }, (_, i) => layerTar(`${seed}/${i}`, i, layerSize)) } = options;
  const diffIDs = tars.map((bytes) => digestOf(bytes));
  const packed = tars.map((bytes) => compress[compression](bytes));
  const { [compression]: layerType } = docker ? dockerLayers : ociLayers;
  const layers = packed.map((bytes) => describeBytes(layerType, bytes));
  const configBytes = encodeJson({
    ...platform,
    created: "2000-01-01T00:00:00Z",
    config: { Env: ["PATH=/usr/bin:/bin"], Cmd: ["/bin/hello"], Labels: { seed } },
    rootfs: { type: "layers", diff_ids: diffIDs },
    history: diffIDs.map((_, i) => ({ created: "2000-01-01T00:00:00Z", created_by: `layer ${i}` })),
    ...options.config,
  });
  const config = describeBytes(docker ? mediaTypes.dockerConfig : mediaTypes.ociConfig, configBytes);
  const mediaType = docker ? mediaTypes.dockerManifest : mediaTypes.ociManifest;
  const blobs = new Map([configBytes, ...packed].map((bytes) => [digestOf(bytes), bytes]));
  return { ...sampleOf(mediaType, { config, layers }, options, { blobs }), config, layers, diffIDs, platform };
};

const layerTar = (seed: string, index: number, size: number): Uint8Array =>
  tar([
    { path: "bin/", kind: "directory" },
    { path: `bin/layer-${index}`, kind: "file", mode: 0o755, bytes: seededBytes(seed, size - (size >> 2)) },
    { path: "etc/", kind: "directory" },
    { path: `etc/layer-${index}.conf`, kind: "file", bytes: seededBytes(`${seed}/conf`, size >> 2) },
    { path: `bin/link-${index}`, kind: "symlink", target: `layer-${index}` },
  ]);

const compress: Record<Compression, (bytes: Uint8Array) => Uint8Array> = {
  none: (bytes) => bytes,
  gzip: storedGzip,
  zstd: storedZstd,
};

const ociLayers: Record<Compression, string> = {
  none: mediaTypes.ociLayer,
  gzip: mediaTypes.ociLayerGzip,
  zstd: mediaTypes.ociLayerZstd,
};

const dockerLayers: Record<Compression, string> = {
  none: mediaTypes.dockerLayer,
  gzip: mediaTypes.dockerLayerGzip,
  zstd: mediaTypes.dockerLayerZstd,
};
