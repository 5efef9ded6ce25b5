/** Annotation keys that Dray reads or writes. @see https://github.com/opencontainers/image-spec/blob/main/annotations.md */
export const annotationKeys = {
  /** The name of an entry in the index of an OCI layout. */
  refName: "org.opencontainers.image.ref.name",
  created: "org.opencontainers.image.created",
  baseName: "org.opencontainers.image.base.name",
  baseDigest: "org.opencontainers.image.base.digest",
  /** The digest of the index that a trimmed index was made from. */
  sourceDigest: "io.dray.source.digest",
  /** BuildKit: says that an entry of an index is an attestation of another one. */
  attestationType: "vnd.docker.reference.type",
  attestationDigest: "vnd.docker.reference.digest",
  /** containerd: the full name of an image in an archive. */
  containerdName: "io.containerd.image.name",
} as const;
