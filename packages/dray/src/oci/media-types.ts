/** The media types of the OCI image specification and of Docker's image manifest version 2, with what each one is. */
export const mediaTypes = {
  ociManifest: "application/vnd.oci.image.manifest.v1+json",
  ociIndex: "application/vnd.oci.image.index.v1+json",
  ociConfig: "application/vnd.oci.image.config.v1+json",
  ociLayer: "application/vnd.oci.image.layer.v1.tar",
  ociLayerGzip: "application/vnd.oci.image.layer.v1.tar+gzip",
  ociLayerZstd: "application/vnd.oci.image.layer.v1.tar+zstd",
  ociEmpty: "application/vnd.oci.empty.v1+json",
  ociArtifact: "application/vnd.oci.artifact.manifest.v1+json",
  dockerManifest: "application/vnd.docker.distribution.manifest.v2+json",
  dockerList: "application/vnd.docker.distribution.manifest.list.v2+json",
  dockerConfig: "application/vnd.docker.container.image.v1+json",
  dockerLayer: "application/vnd.docker.image.rootfs.diff.tar",
  dockerLayerGzip: "application/vnd.docker.image.rootfs.diff.tar.gzip",
  dockerLayerZstd: "application/vnd.docker.image.rootfs.diff.tar.zstd",
  dockerForeignLayer: "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
  dockerSchema1: "application/vnd.docker.distribution.manifest.v1+json",
  dockerSchema1Signed: "application/vnd.docker.distribution.manifest.v1+prettyjws",
} as const;

const manifests = new Set<string>([mediaTypes.ociManifest, mediaTypes.dockerManifest]);
const indexes = new Set<string>([mediaTypes.ociIndex, mediaTypes.dockerList]);
const schema1 = new Set<string>([mediaTypes.dockerSchema1, mediaTypes.dockerSchema1Signed, "application/json"]);

/** Whether it is the manifest of an image or artifact. */
export const isManifestType = (type: string): boolean => manifests.has(type);
/** Whether it is an artifact manifest, which release candidates of OCI 1.1 had: dropped since, and still where it was pushed. */
export const isArtifactType = (type: string): boolean => type === mediaTypes.ociArtifact;
/** Whether it is an OCI index or a Docker manifest list. */
export const isIndexType = (type: string): boolean => indexes.has(type);
/** Docker's schema 1, also under `application/json`, which old registries give it. Copied as bytes, never understood. */
export const isSchema1Type = (type: string): boolean => schema1.has(type);
/** Anything a registry keeps under `manifests/` rather than `blobs/`. */
export const isManifestLike = (type: string): boolean =>
  isManifestType(type) ||
  isIndexType(type) ||
  isArtifactType(type) ||
  type === mediaTypes.dockerSchema1 ||
  type === mediaTypes.dockerSchema1Signed;
/** Whether it is the configuration of an image that runs. */
export const isConfigType = (type: string): boolean =>
  type === mediaTypes.ociConfig || type === mediaTypes.dockerConfig;

/** Layers that may not be passed on without leave; their bytes lie at `urls`. */
export const isForeignLayerType = (type: string): boolean => foreignLayers.some((start) => type.startsWith(start));

const foreignLayers = [
  "application/vnd.oci.image.layer.nondistributable.v1.tar",
  "application/vnd.docker.image.rootfs.foreign.diff.tar",
];

/** Whether the bytes are a tar of files, compressed or not. */
export const isLayerType = (type: string): boolean =>
  isForeignLayerType(type) || type.startsWith(mediaTypes.ociLayer) || type.startsWith(mediaTypes.dockerLayer);

/** Whether the bytes are a layer that was encrypted: nobody can say what is inside who has no key. */
export const isEncryptedLayerType = (type: string): boolean => isLayerType(type) && type.endsWith("+encrypted");

/** How a layer is compressed, as its media type says. */
export type Compression = "none" | "gzip" | "zstd";

/** How a layer of this type is compressed; `undefined` where that is not all, as with `+gzip+encrypted`, or no layer. */
export const compressionOf = (type: string): Compression | undefined => {
  const ending = isLayerType(type) ? /\.tar(?:[.+](gzip|zstd))?$/.exec(type) : null;
  return ending === null ? undefined : ((ending[1] as Compression | undefined) ?? "none");
};

/** What Dray accepts where a manifest of any kind may come, in order of preference. */
export const manifestAccept: string = [
  mediaTypes.ociIndex,
  mediaTypes.ociManifest,
  mediaTypes.dockerList,
  mediaTypes.dockerManifest,
  mediaTypes.dockerSchema1Signed,
  mediaTypes.dockerSchema1,
  mediaTypes.ociArtifact,
].join(", ");
