import { seededBytes } from "@dray/testkit/files";
import { type Digest, digestOf, encodeJson, mediaTypes } from "dray/oci";

/** What stands in the registry before each case, and words for it in their targets. */
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

export const repository = "team/app";
export const config: Uint8Array = bytes('{"architecture":"amd64","os":"linux"}');
export const layer: Uint8Array = bytes("a layer");
/** As long as the conformance suite's. */
export const blob: Uint8Array = seededBytes("blob", 2048);
export const blobDigest: Digest = digestOf(blob);

export const descriptorOf = (
  mediaType: string,
  content: Uint8Array,
): { mediaType: string; digest: Digest; size: number } => ({
  mediaType,
  digest: digestOf(content),
  size: content.byteLength,
});

/** Members of an image manifest; more are laid over them. */
export const imageWith = (members: object = {}): Record<string, unknown> => ({
  schemaVersion: 2,
  mediaType: mediaTypes.ociManifest,
  config: descriptorOf(mediaTypes.ociConfig, config),
  layers: [descriptorOf(mediaTypes.ociLayer, layer)],
  ...members,
});

export const image: Uint8Array = encodeJson(imageWith());
export const imageDigest: Digest = digestOf(image);
/** Another one, which is not there. */
export const other: Uint8Array = encodeJson(imageWith({ annotations: { which: "other" } }));
export const otherDigest: Digest = digestOf(other);
export const indexWith = (members: object = {}): Record<string, unknown> => ({
  schemaVersion: 2,
  mediaType: mediaTypes.ociIndex,
  manifests: [descriptorOf(mediaTypes.ociManifest, image)],
  ...members,
});

export const missing: Digest = `sha256:${"0".repeat(64)}` as Digest;
