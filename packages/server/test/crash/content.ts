import { seededBytes } from "@dray/testkit/files";
import { type Descriptor, type Digest, type DigestAlgorithm, digestOf, encodeJson, mediaTypes } from "dray/oci";

/** A manifest with what it needs. */
export interface Content {
  readonly digest: Digest;
  readonly type: string;
  readonly bytes: Uint8Array;
  readonly blobs: readonly Uint8Array[];
  readonly manifests: readonly Content[];
}

/** Bytes that are like no others and never zero, so that whatever is lost of them shows. */
export const filled = (length: number, seed: number): Uint8Array => seededBytes(seed, length).map((byte) => byte || 1);

const descriptor = (mediaType: string, bytes: Uint8Array): Descriptor => ({
  mediaType,
  digest: digestOf(bytes),
  size: bytes.byteLength,
});

export interface ImageOptions {
  readonly subject?: Content;
  /** `true`: a type that its bytes do not show. */
  readonly silent?: boolean;
  readonly algorithm?: DigestAlgorithm;
}

export const image = (
  name: string,
  layers: readonly Uint8Array[],
  { subject, silent = false, algorithm }: ImageOptions = {},
): Content => {
  const config = encodeJson({ architecture: "amd64", os: "linux", config: { Labels: { name } } });
  const type = silent ? mediaTypes.dockerManifest : mediaTypes.ociManifest;
  const bytes = encodeJson({
    schemaVersion: 2,
    ...(silent ? {} : { mediaType: type }),
    config: descriptor(silent ? mediaTypes.dockerConfig : mediaTypes.ociConfig, config),
    layers: layers.map((layer) => descriptor(silent ? mediaTypes.dockerLayerGzip : mediaTypes.ociLayer, layer)),
    ...(subject === undefined ? {} : { subject: descriptor(subject.type, subject.bytes) }),
  });
  return { digest: digestOf(bytes, algorithm), type, bytes, blobs: [config, ...layers], manifests: [] };
};

export const index = (manifests: readonly Content[]): Content => {
  const bytes = encodeJson({
    schemaVersion: 2,
    mediaType: mediaTypes.ociIndex,
    manifests: manifests.map((child) => descriptor(child.type, child.bytes)),
  });
  return { digest: digestOf(bytes), type: mediaTypes.ociIndex, bytes, blobs: [], manifests };
};
