import { type Annotations, type Descriptor, type Digest, digestOf, encodeJson } from "dray/oci";
import type { MemoryRegistry } from "../registry/index.ts";

/** A graph of content as plain bytes: manifests apart from blobs, children before parents. */
export interface Sample {
  /** What the top manifest is called by. */
  readonly root: Descriptor;
  readonly manifests: ReadonlyMap<Digest, { readonly mediaType: string; readonly bytes: Uint8Array }>;
  /** Configs and layers. */
  readonly blobs: ReadonlyMap<Digest, Uint8Array>;
}

/** Puts a sample into a registry, under a tag or its digest alone. */
export const put = (
  registry: MemoryRegistry,
  repository: string,
  tag: string | undefined,
  sample: Sample,
): Descriptor => {
  for (const bytes of sample.blobs.values()) registry.addBlob(repository, bytes);
  for (const [digest, manifest] of sample.manifests)
    registry.addManifest(repository, manifest, digest === sample.root.digest ? tag : undefined);
  return sample.root;
};

/** Several samples as one, the last one's root on top: what an index is made of. */
export const together = (samples: readonly Sample[]): Pick<Sample, "blobs" | "manifests"> => ({
  blobs: new Map(samples.flatMap((sample) => [...sample.blobs])),
  manifests: new Map(samples.flatMap((sample) => [...sample.manifests])),
});

/** Bytes under a descriptor. */
export const describeBytes = (mediaType: string, bytes: Uint8Array): Descriptor => ({
  mediaType,
  digest: digestOf(bytes),
  size: bytes.byteLength,
});

/** A sample of one manifest with these members, over its blobs and whatever lies below. */
export const sampleOf = (
  mediaType: string,
  members: object,
  { subject, annotations }: SampleMembers,
  below: Pick<Sample, "blobs"> & Partial<Sample>,
): Sample => {
  const bytes = encodeJson({ schemaVersion: 2, mediaType, ...members, subject, annotations });
  const root = describeBytes(mediaType, bytes);
  return {
    root,
    blobs: below.blobs,
    manifests: new Map([...(below.manifests ?? []), [root.digest, { mediaType, bytes }]]),
  };
};

/** What any kind of sample may carry. */
export interface SampleMembers {
  /** Other seeds, other bytes. Default `sample`. */
  readonly seed?: string;
  readonly annotations?: Annotations;
  /** The manifest this one says something about. */
  readonly subject?: Descriptor;
}
