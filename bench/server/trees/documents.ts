/** The manifests that the trees hold. */
import { digestOf } from "./distribution.ts";

export const mediaTypes = {
  index: "application/vnd.oci.image.index.v1+json",
  manifest: "application/vnd.oci.image.manifest.v1+json",
  config: "application/vnd.oci.image.config.v1+json",
  layer: "application/vnd.oci.image.layer.v1.tar+gzip",
  empty: "application/vnd.oci.empty.v1+json",
  artifact: "application/vnd.example.bench.v1",
} as const;

export interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

/** A manifest as an index names it. */
export interface Entry extends Descriptor {
  readonly tag?: string;
}

export const described = (mediaType: string, bytes: string | Uint8Array): Descriptor => ({
  mediaType,
  digest: digestOf(bytes),
  size: Buffer.byteLength(bytes),
});

export const config: string = JSON.stringify({
  architecture: "amd64",
  os: "linux",
  config: {},
  rootfs: { type: "layers", diff_ids: [] },
});

/** As a built image has it: a config and some layers, 1.5 KiB with eight. */
export const imageManifest = (layers: readonly Descriptor[], note?: string): string =>
  JSON.stringify({
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    config: described(mediaTypes.config, config),
    layers,
    ...(note === undefined ? {} : { annotations: { "org.opencontainers.image.version": note } }),
  });

export const referrer = (subject: Descriptor, note: string): string => {
  const empty = described(mediaTypes.empty, "{}");
  return JSON.stringify({
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    artifactType: mediaTypes.artifact,
    config: empty,
    layers: [empty],
    subject,
    annotations: { "org.opencontainers.image.title": note },
  });
};
