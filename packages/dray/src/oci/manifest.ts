import { DrayError } from "../errors.ts";
import { type Annotations, asDescriptor, type Descriptor, isObject } from "./descriptor.ts";
import { type Digest, isDigest } from "./digest.ts";
import { isIndexType, isManifestType, isSchema1Type, mediaTypes } from "./media-types.ts";

/** Manifest bytes that Dray will hold in memory at most. Registries must accept 4 MiB. */
export const largestManifest: number = 16 * 1024 * 1024;
/** Levels of JSON that are read at most; a manifest has about six. */
const deepest = 64;

/** An image or artifact manifest. Members that we do not know are kept. @see https://github.com/opencontainers/image-spec/blob/main/manifest.md */
export interface Manifest {
  readonly schemaVersion: 2;
  readonly mediaType?: string;
  readonly artifactType?: string;
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
  readonly subject?: Descriptor;
  readonly annotations?: Annotations;
  readonly [member: string]: unknown;
}

/** An image index or Docker manifest list. @see https://github.com/opencontainers/image-spec/blob/main/image-index.md */
export interface Index {
  readonly schemaVersion: 2;
  readonly mediaType?: string;
  readonly artifactType?: string;
  readonly manifests: readonly Descriptor[];
  readonly subject?: Descriptor;
  readonly annotations?: Annotations;
  readonly [member: string]: unknown;
}

/** A parsed manifest with its kind. The bytes stay the truth; this is a view. */
export type ParsedManifest =
  | { readonly kind: "manifest"; readonly mediaType: string; readonly manifest: Manifest }
  | { readonly kind: "index"; readonly mediaType: string; readonly index: Index }
  | { readonly kind: "schema1"; readonly mediaType: string; readonly blobs: readonly Digest[] };

/**
 * Parses manifest bytes. `mediaType` is what the registry or descriptor said; a `mediaType` inside must agree with it,
 * or one document could be read as two things (CVE-2021-41190).
 * @throws DrayError `MANIFEST_INVALID`, `LIMIT_EXCEEDED`
 */
export const parseManifest = (bytes: Uint8Array, mediaType?: string): ParsedManifest => {
  const value = parseJson(bytes, "manifest");
  if (!isObject(value)) throw new DrayError("MANIFEST_INVALID", "the manifest is no JSON object");
  const inside = typeof value["mediaType"] === "string" ? value["mediaType"] : undefined;
  const said =
    mediaType === undefined || !isKnown(mediaType) || mediaType === "application/json" ? undefined : mediaType;
  if (said !== undefined && inside !== undefined && said !== inside)
    throw new DrayError("MANIFEST_INVALID", `the manifest calls itself "${inside}" but was announced as "${said}"`);
  const type = said ?? inside ?? guessType(value);
  if (value["schemaVersion"] === 1 || type === mediaTypes.dockerSchema1 || type === mediaTypes.dockerSchema1Signed)
    return { kind: "schema1", mediaType: type, blobs: schema1Blobs(value) };
  if (value["schemaVersion"] !== 2)
    throw new DrayError("MANIFEST_INVALID", `schemaVersion ${JSON.stringify(value["schemaVersion"] ?? null)} is not 2`);
  if (isIndexType(type)) {
    refuseBoth(value, "layers", "an index");
    return { kind: "index", mediaType: type, index: checkIndex(value) };
  }
  if (isManifestType(type)) {
    refuseBoth(value, "manifests", "an image manifest");
    return { kind: "manifest", mediaType: type, manifest: checkManifest(value) };
  }
  throw new DrayError("MANIFEST_INVALID", `"${type}" is no media type of a manifest or index`);
};

/** The layers of a schema 1 manifest: digests without sizes, an empty layer many times over. */
const schema1Blobs = (value: Record<string, unknown>): Digest[] => {
  const layers = Array.isArray(value["fsLayers"]) ? value["fsLayers"] : [];
  const sums = layers.map((layer) => (isObject(layer) ? layer["blobSum"] : undefined));
  if (!sums.every(isDigest)) throw new DrayError("MANIFEST_INVALID", "fsLayers: a blobSum is no digest");
  return [...new Set(sums)];
};

/** Whether a descriptor of this type stands for a manifest that `parseManifest` takes apart. */
const isKnown = (type: string): boolean => isManifestType(type) || isIndexType(type) || isSchema1Type(type);

const guessType = (value: Record<string, unknown>): string => {
  if (value["schemaVersion"] === 1) return mediaTypes.dockerSchema1;
  if (Array.isArray(value["manifests"])) return mediaTypes.ociIndex;
  return mediaTypes.ociManifest;
};

const refuseBoth = (value: Record<string, unknown>, member: string, what: string): void => {
  if (value[member] !== undefined) throw new DrayError("MANIFEST_INVALID", `${what} may not have "${member}"`);
};

const list = (value: unknown, name: string): Descriptor[] => {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw new DrayError("MANIFEST_INVALID", `"${name}" is no list`);
  return value.map((entry, i) => asDescriptor(entry, `${name}[${i}]`));
};

const checkManifest = (value: Record<string, unknown>): Manifest => {
  asDescriptor(value["config"], "config");
  const layers = list(value["layers"], "layers");
  if (value["subject"] !== undefined && value["subject"] !== null) asDescriptor(value["subject"], "subject");
  return { ...value, layers } as unknown as Manifest;
};

const checkIndex = (value: Record<string, unknown>): Index => {
  const manifests = list(value["manifests"], "manifests");
  if (value["subject"] !== undefined && value["subject"] !== null) asDescriptor(value["subject"], "subject");
  return { ...value, manifests } as unknown as Index;
};

/**
 * Parses JSON from elsewhere within limits: size by the caller, depth here, before the parser can be made to recurse.
 * @throws DrayError `MANIFEST_INVALID`, `LIMIT_EXCEEDED`
 */
export const parseJson = (bytes: Uint8Array, what: string): unknown => {
  if (bytes.byteLength > largestManifest)
    throw new DrayError("LIMIT_EXCEEDED", `the ${what} has ${bytes.byteLength} bytes; ${largestManifest} are allowed`);
  checkDepth(bytes, what);
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new DrayError("MANIFEST_INVALID", `the ${what} is no valid JSON`, { cause });
  }
};

const checkDepth = (bytes: Uint8Array, what: string): void => {
  let depth = 0;
  let inString = false;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i];
    if (inString) {
      if (byte === 0x5c) i++;
      else if (byte === 0x22) inString = false;
    } else if (byte === 0x22) inString = true;
    else if (byte === 0x7b || byte === 0x5b) {
      if (++depth > deepest) throw new DrayError("LIMIT_EXCEEDED", `the ${what} nests deeper than ${deepest} levels`);
    } else if (byte === 0x7d || byte === 0x5d) depth--;
  }
};

/** The bytes of a new document. Keys keep their order; no white space. */
export const encodeJson = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));

/** What a manifest is for, as the referrers API reports it: its own artifactType, else its config's media type. */
export const artifactTypeOf = (parsed: ParsedManifest): string | undefined => {
  if (parsed.kind === "schema1") return undefined;
  if (parsed.kind === "index") return parsed.index.artifactType || undefined;
  return parsed.manifest.artifactType || parsed.manifest.config.mediaType;
};

/** The descriptors a manifest points down to, config first. The subject is not one of them: it points up. */
export const childrenOf = (parsed: ParsedManifest): readonly Descriptor[] => {
  if (parsed.kind === "schema1") return [];
  return parsed.kind === "index" ? parsed.index.manifests : [parsed.manifest.config, ...parsed.manifest.layers];
};

/** The manifest this one says something about, where it has a subject. */
export const subjectOf = (parsed: ParsedManifest): Descriptor | undefined => {
  if (parsed.kind === "schema1") return undefined;
  return (parsed.kind === "index" ? parsed.index.subject : parsed.manifest.subject) ?? undefined;
};
