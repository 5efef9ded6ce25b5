import { defined } from "../defined.ts";
import { DrayError } from "../errors.ts";
import { type Annotations, asDescriptor, bare, type Descriptor } from "./descriptor.ts";
import { type Digest, isDigest } from "./digest.ts";
import { isObject, isOptional, isText, isTextMap, type Parsed, parseJson, shown, texts, withoutNulls } from "./json.ts";
import { isArtifactType, isIndexType, isManifestType, isSchema1Type, mediaTypes } from "./media-types.ts";

/** An image or artifact manifest. @see https://github.com/opencontainers/image-spec/blob/main/manifest.md */
export interface Manifest {
  readonly schemaVersion: 2;
  readonly mediaType?: string;
  readonly artifactType?: string;
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
  readonly subject?: Descriptor;
  readonly annotations?: Annotations;
}

/** An image index or Docker manifest list. @see https://github.com/opencontainers/image-spec/blob/main/image-index.md */
export interface Index {
  readonly schemaVersion: 2;
  readonly mediaType?: string;
  readonly artifactType?: string;
  readonly manifests: readonly Descriptor[];
  readonly subject?: Descriptor;
  readonly annotations?: Annotations;
}

/** An artifact manifest as release candidates of OCI 1.1 had it: blobs, and what they say something about. */
export interface ArtifactManifest {
  readonly mediaType: string;
  readonly artifactType?: string;
  readonly blobs: readonly Descriptor[];
  readonly subject?: Descriptor;
  readonly annotations?: Annotations;
}

/** A parsed manifest with its kind. The bytes stay the truth; this is a view. */
export type ParsedManifest =
  | { readonly kind: "manifest"; readonly mediaType: string; readonly manifest: Parsed<Manifest> }
  | { readonly kind: "index"; readonly mediaType: string; readonly index: Parsed<Index> }
  | { readonly kind: "artifact"; readonly mediaType: string; readonly artifact: Parsed<ArtifactManifest> }
  | { readonly kind: "schema1"; readonly mediaType: string; readonly blobs: readonly Digest[] };

/**
 * Parses manifest bytes. `mediaType` is what the registry or descriptor said; a `mediaType` inside must agree with it,
 * or one document could be read as two things (CVE-2021-41190).
 * @throws DrayError `MANIFEST_INVALID`, `LIMIT_EXCEEDED`
 * @example const layers = childrenOf(parseManifest(bytes)).filter(({ mediaType }) => isLayerType(mediaType));
 */
export const parseManifest = (bytes: Uint8Array, mediaType?: string): ParsedManifest =>
  asManifest(parseJson(bytes, "manifest"), mediaType);

/**
 * The same of a JSON value that `parseJson` gave, for whoever looks at that value, too.
 * @throws DrayError `MANIFEST_INVALID`
 */
export const asManifest = (value: unknown, mediaType?: string): ParsedManifest => {
  if (!isObject(value)) throw invalid("the manifest is no JSON object");
  const type = typeOf(value, mediaType);
  if (type === mediaTypes.dockerSchema1 || type === mediaTypes.dockerSchema1Signed) {
    refuseVersion(value, 1);
    return { kind: "schema1", mediaType: type, blobs: schema1Blobs(value) };
  }
  if (isIndexType(type)) {
    refuseVersion(value, 2);
    refuseMembers(value, ["config", "layers", "fsLayers"], "an index");
    return { kind: "index", mediaType: type, index: checkIndex(value) };
  }
  if (isManifestType(type)) {
    refuseVersion(value, 2);
    refuseMembers(value, ["manifests", "fsLayers"], "an image manifest");
    return { kind: "manifest", mediaType: type, manifest: checkManifest(value) };
  }
  if (isArtifactType(type)) {
    refuseMembers(value, ["config", "layers", "manifests", "fsLayers"], "an artifact manifest");
    return { kind: "artifact", mediaType: type, artifact: checkArtifact(value) };
  }
  throw invalid(`${shown(type)} is no media type of a manifest or index`);
};

/** What the document is: as announced, else as it says, else as it looks. */
const typeOf = (value: Record<string, unknown>, mediaType: string | undefined): string => {
  // An empty mediaType is what Go writes for none.
  const inside = value["mediaType"] ?? "";
  if (!isText(inside)) throw invalid(`mediaType ${shown(inside)} is no string`);
  const said = mediaType === undefined || !isKnown(mediaType) || mediaType === "application/json" ? "" : mediaType;
  if (said !== "" && inside !== "" && said !== inside)
    throw invalid(`the manifest calls itself ${shown(inside)} but was announced as "${said}"`);
  return said || inside || guessType(value);
};

const refuseVersion = (value: Record<string, unknown>, wanted: 1 | 2): void => {
  if (value["schemaVersion"] !== wanted)
    throw invalid(`schemaVersion ${shown(value["schemaVersion"])} is not ${wanted}`);
};

/** The layers of a schema 1 manifest: digests without sizes, an empty layer many times over. */
const schema1Blobs = (value: Record<string, unknown>): Digest[] => {
  const layers = Array.isArray(value["fsLayers"]) ? value["fsLayers"] : [];
  const sums = layers.map((layer) => (isObject(layer) ? layer["blobSum"] : undefined));
  if (!sums.every(isDigest)) throw invalid("fsLayers: a blobSum is no digest");
  return [...new Set(sums)];
};

/** Whether a descriptor of this type stands for a manifest that `parseManifest` takes apart. */
const isKnown = (type: string): boolean =>
  isManifestType(type) || isIndexType(type) || isSchema1Type(type) || isArtifactType(type);

const guessType = (value: Record<string, unknown>): string => {
  if (value["schemaVersion"] === 1) return mediaTypes.dockerSchema1;
  if (Array.isArray(value["manifests"])) return mediaTypes.ociIndex;
  return mediaTypes.ociManifest;
};

const refuseMembers = (value: Record<string, unknown>, members: readonly string[], what: string): void => {
  const member = members.find((name) => value[name] !== undefined && value[name] !== null);
  if (member !== undefined) throw invalid(`${what} may not have "${member}"`);
};

const list = (value: unknown, name: string): Descriptor[] => {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw invalid(`"${name}" is no list`);
  return value.map((entry, i) => asDescriptor(entry, `${name}[${i}]`));
};

const checkManifest = (value: Record<string, unknown>): Parsed<Manifest> => ({
  ...(checkShared(value) as Parsed<Manifest>),
  config: asDescriptor(value["config"], "config"),
  layers: list(value["layers"], "layers"),
});

const checkIndex = (value: Record<string, unknown>): Parsed<Index> => ({
  ...(checkShared(value) as Parsed<Index>),
  manifests: list(value["manifests"], "manifests"),
});

const checkArtifact = (value: Record<string, unknown>): Parsed<ArtifactManifest> => ({
  ...(checkShared(value) as Parsed<ArtifactManifest>),
  blobs: list(value["blobs"], "blobs"),
});

/** What an image and an index have in common. As in a descriptor, `null` counts as left out. Members keep their order. */
const checkShared = (value: Record<string, unknown>): Record<string, unknown> => {
  const shared = withoutNulls(value, ["mediaType", "artifactType", "subject", "annotations"]);
  const { artifactType, annotations, subject } = shared;
  if (!isOptional(artifactType, isText)) throw invalid(`artifactType ${shown(artifactType)} is no string`);
  if (!isOptional(annotations, isTextMap)) throw invalid("annotations is no object of strings");
  const checked = { ...shared };
  if (annotations !== undefined) checked["annotations"] = texts(annotations as Annotations);
  if (subject !== undefined) checked["subject"] = asDescriptor(subject, "subject");
  return checked;
};

/** What a manifest is for, as the referrers API reports it: its own artifactType, else its config's media type. */
export const artifactTypeOf = (parsed: ParsedManifest): string | undefined => {
  if (parsed.kind === "schema1") return undefined;
  if (parsed.kind === "index") return parsed.index.artifactType || undefined;
  if (parsed.kind === "artifact") return parsed.artifact.artifactType || undefined;
  return parsed.manifest.artifactType || parsed.manifest.config.mediaType || undefined;
};

/** The descriptors a manifest points down to, config first. The subject is not one of them: it points up. */
export const childrenOf = (parsed: ParsedManifest): readonly Descriptor[] => {
  if (parsed.kind === "schema1") return [];
  if (parsed.kind === "artifact") return parsed.artifact.blobs;
  return parsed.kind === "index" ? parsed.index.manifests : [parsed.manifest.config, ...parsed.manifest.layers];
};

/** The manifest this one says something about, where it has a subject. */
export const subjectOf = (parsed: ParsedManifest): Descriptor | undefined => {
  return documentOf(parsed)?.subject;
};

/** What a manifest says of itself. */
export const annotationsOf = (parsed: ParsedManifest): Annotations | undefined => documentOf(parsed)?.annotations;

const documentOf = (
  parsed: ParsedManifest,
): { readonly subject?: Descriptor; readonly annotations?: Annotations } | undefined => {
  if (parsed.kind === "schema1") return undefined;
  if (parsed.kind === "artifact") return parsed.artifact;
  return parsed.kind === "index" ? parsed.index : parsed.manifest;
};

/** A manifest as the referrers API lists it: with the type of its artifact, and its annotations. */
export const asReferrer = (descriptor: Descriptor, parsed: ParsedManifest): Descriptor => {
  const artifactType = artifactTypeOf(parsed);
  return defined({ ...bare(descriptor), artifactType, annotations: annotationsOf(parsed) });
};

const invalid = (message: string): DrayError => new DrayError("MANIFEST_INVALID", message);
