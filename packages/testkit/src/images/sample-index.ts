import {
  annotationKeys,
  type Descriptor,
  encodeJson,
  formatPlatform,
  hexOf,
  mediaTypes,
  type Platform,
  parsePlatform,
} from "dray/oci";
import { sampleArtifact } from "./artifact.ts";
import { type SampleImage, type SampleImageOptions, sampleImage } from "./image.ts";
import { type Sample, type SampleMembers, sampleOf, together } from "./sample.ts";

export interface SampleIndexOptions extends SampleMembers {
  /** Default `["linux/amd64", "linux/arm64"]`. */
  readonly platforms?: readonly string[];
  /** `true`: each image has an attestation beside it, as BuildKit writes them. Default `false`. */
  readonly attestations?: boolean;
  /** What the images are like. */
  readonly image?: Omit<SampleImageOptions, "seed" | "platform" | "subject">;
  /** More entries, such as an index in the index. */
  readonly more?: readonly Sample[];
}

export interface SampleIndex extends Sample {
  readonly images: readonly SampleImage[];
}

/**
 * An index of images, one for each platform.
 * @example const index = sampleIndex({ platforms: ["linux/amd64", "linux/arm/v7"], attestations: true });
 */
export const sampleIndex = (options: SampleIndexOptions = {}): SampleIndex => {
  const { seed = "sample", platforms = ["linux/amd64", "linux/arm64"], image = {}, more = [] } = options;
  const images = platforms.map((text) =>
    sampleImage({ ...image, seed: `${seed}/${text}`, platform: parsePlatform(text) as Platform }),
  );
  const attestations = options.attestations ? images.map((subject) => attestationOf(subject)) : [];
  const entries: Descriptor[] = [
    ...images.map(({ root, platform }) => ({ ...root, platform })),
    ...attestations.map(({ root }, i) => ({
      ...root,
      annotations: {
        [annotationKeys.attestationType]: "attestation-manifest",
        [annotationKeys.attestationDigest]: (images[i] as SampleImage).root.digest,
      },
      platform: { os: "unknown", architecture: "unknown" },
    })),
    ...more.map(({ root }) => root),
  ];
  const mediaType = image.docker ? mediaTypes.dockerList : mediaTypes.ociIndex;
  const below = together([...images, ...attestations, ...more]);
  return { ...sampleOf(mediaType, { manifests: entries }, options, below), images };
};

const attestationOf = ({ root, platform }: SampleImage): Sample =>
  sampleArtifact({
    artifactType: "application/vnd.docker.attestation.manifest.v1+json",
    mediaType: "application/vnd.in-toto+json",
    bytes: encodeJson({
      _type: "https://in-toto.io/Statement/v1",
      predicateType: "https://slsa.dev/provenance/v1",
      subject: [{ name: formatPlatform(platform), digest: { sha256: hexOf(root.digest) } }],
      predicate: {},
    }),
  });
