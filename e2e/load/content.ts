import { seededBytes } from "@dray/testkit";
import { type Descriptor, type Digest, digestOf, encodeJson, mediaTypes } from "dray/oci";

/** A graph to be pushed: blobs, then manifests, children first. Small and large layers, many of them shared. */
export interface Graph {
  readonly root: Digest;
  readonly manifests: readonly { readonly digest: Digest; readonly mediaType: string; readonly bytes: Uint8Array }[];
  readonly blobs: ReadonlyMap<Digest, Uint8Array>;
}

export const described = (mediaType: string, bytes: Uint8Array): Descriptor => ({
  mediaType,
  digest: digestOf(bytes),
  size: bytes.byteLength,
});

/** A layer by its number: the same bytes for everybody. From a few hundred bytes to what a thread hashes and a file holds. */
export const layerOf = (number: number, sizes: readonly number[] = usual): Uint8Array => {
  let bytes = layers.get(number);
  if (bytes === undefined) {
    bytes = seededBytes(`layer ${number}`, sizes[number % sizes.length] as number);
    if (layers.size > 100) layers.clear();
    layers.set(number, bytes);
  }
  return bytes;
};

const usual = [300, 5_000, 40_000, 70_000, 200_000, 600_000];
const layers = new Map<number, Uint8Array>();

/** An image of its own: the configuration has the name in it. */
export const imageOf = (name: string, contents: readonly Uint8Array[], subject?: Descriptor): Graph => {
  const config = encodeJson({
    architecture: "amd64",
    os: "linux",
    config: { Labels: { name } },
    rootfs: { type: "layers", diff_ids: [] },
  });
  const blobs = new Map([config, ...contents].map((bytes) => [digestOf(bytes), bytes]));
  const bytes = encodeJson({
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    ...(subject === undefined ? {} : { artifactType: "application/vnd.example.note" }),
    config: described(mediaTypes.ociConfig, config),
    layers: contents.map((layer) => described(mediaTypes.ociLayer, layer)),
    ...(subject === undefined ? {} : { subject }),
  });
  const digest = digestOf(bytes);
  return { root: digest, manifests: [{ digest, mediaType: mediaTypes.ociManifest, bytes }], blobs };
};

export const indexOf = (name: string, images: readonly Graph[]): Graph => {
  const children = images.flatMap(({ manifests }) => manifests);
  const bytes = encodeJson({
    schemaVersion: 2,
    mediaType: mediaTypes.ociIndex,
    manifests: children.map((child) => described(child.mediaType, child.bytes)),
    annotations: { name },
  });
  const digest = digestOf(bytes);
  return {
    root: digest,
    manifests: [...children, { digest, mediaType: mediaTypes.ociIndex, bytes }],
    blobs: new Map(images.flatMap(({ blobs }) => [...blobs])),
  };
};
