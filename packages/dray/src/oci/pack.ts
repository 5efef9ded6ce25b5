import { defined } from "../defined.ts";
import { DrayError } from "../errors.ts";
import { type Annotations, bare, type Descriptor } from "./descriptor.ts";
import { digestOf } from "./digest.ts";
import { encodeJson, shown } from "./json.ts";
import type { Manifest } from "./manifest.ts";
import { mediaTypes } from "./media-types.ts";

/** The content that stands for none: `{}`. */
export const emptyContent: Uint8Array = encodeJson({});

/** The descriptor of the content that stands for none, which carries it. @see https://github.com/opencontainers/image-spec/blob/main/manifest.md#guidance-for-an-empty-descriptor */
export const emptyDescriptor = (): Descriptor => ({
  mediaType: mediaTypes.ociEmpty,
  digest: digestOf(emptyContent),
  size: emptyContent.byteLength,
  data: Buffer.from(emptyContent).toString("base64"),
});

/** What a manifest of an artifact is made of. */
export interface ArtifactParts {
  /** What the artifact is, as a media type: `application/spdx+json`. May be left out where `config` says it. */
  readonly artifactType?: string | undefined;
  /** Default: the empty one. */
  readonly config?: Descriptor | undefined;
  /** Default: one, the empty one. */
  readonly layers?: readonly Descriptor[] | undefined;
  /** What the artifact says something about. Only its type, digest and size are taken. */
  readonly subject?: Descriptor | undefined;
  readonly annotations?: Annotations | undefined;
}

/**
 * The manifest of an artifact, by the rules of the image specification. The same parts make the same bytes.
 * @throws DrayError `USAGE` for a type that is none, or where nothing says what the artifact is
 * @example
 * const layer = await repository.put(bytes, { mediaType: "text/plain" });
 * await repository.putManifest(packManifest({ artifactType: "application/vnd.acme.note", layers: [layer] }), { tags: ["note"] });
 * @see https://github.com/opencontainers/image-spec/blob/main/manifest.md#guidelines-for-artifact-usage
 */
export const packManifest = ({ artifactType, config, layers, subject, annotations }: ArtifactParts): Manifest => {
  if (artifactType === undefined && (config === undefined || config.mediaType === mediaTypes.ociEmpty))
    throw new DrayError(
      "USAGE",
      "an artifact without a configuration needs an artifactType, such as application/spdx+json",
    );
  if (artifactType !== undefined && !mediaType.test(artifactType))
    throw new DrayError("USAGE", `artifactType ${shown(artifactType)} is no media type, such as application/spdx+json`);
  return defined<Manifest>({
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    artifactType,
    config: config ?? emptyDescriptor(),
    layers: layers === undefined || layers.length === 0 ? [emptyDescriptor()] : layers,
    subject: subject === undefined ? undefined : bare(subject),
    annotations,
  });
};

/** RFC 6838 §4.2. */
const mediaType = /^[a-z0-9][a-z0-9!#$&^_.+-]{0,126}\/[a-z0-9][a-z0-9!#$&^_.+-]{0,126}$/i;
