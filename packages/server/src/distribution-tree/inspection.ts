import {
  annotationsOf,
  artifactTypeOf,
  asManifest,
  childrenOf,
  type Descriptor,
  type Digest,
  isObject,
  mediaTypes,
  parseJson,
  subjectOf,
} from "dray/oci";

/** What the registry needs to know of a manifest. */
export interface Described {
  readonly mediaType: string;
  readonly artifactType?: string;
  readonly subject?: Digest;
  /** As JSON: there may be hundreds of thousands of them, and nobody here asks for one, so that it goes from the manifest to the answer as text. */
  readonly annotations?: string;
  /** Digests of its children: configuration, layers, manifests, in order, each once. The subject is none of them. */
  readonly references: readonly Digest[];
  /** Bytes that each of `references` has, as its descriptor says. Missing: nothing is said, or it is not remembered. */
  readonly sizes?: readonly number[];
  /** `false`: it could not be read whole (schema 1, an unknown type, damage), so nobody knows what it needs, and garbage collection keeps everything in its repository. */
  readonly readable: boolean;
}

/** A child of a manifest, as its descriptor has it. */
export type Child = Pick<Descriptor, "digest" | "size" | "mediaType" | "urls" | "platform">;

/** What a manifest says, without its bytes. */
export interface Inspection {
  /** The media type that it shows by itself. */
  readonly shows: string;
  /** Whether its bytes name that: then no other can be said of it. */
  readonly namesType: boolean;
  /** Whether it is a manifest by what it says itself, whatever it is linked as. */
  readonly isManifest: boolean;
  /** As what it was read; where it cannot be read, with nothing in it and not `readable`. */
  readonly described: Described;
  readonly children: readonly Child[];
  /** Why programs may read it in different ways, if they may. */
  readonly ambiguity: string | undefined;
  /** Why it cannot be read, if it cannot. */
  readonly fault: Error | undefined;
}

/**
 * Reads a manifest, which is parsed once for all who want to know of it. Never throws.
 * @param mediaType the type it was pushed with, where that is known; else what it shows
 */
export const inspect = (bytes: Uint8Array, mediaType?: string): Inspection => {
  let value: unknown;
  let shows: string | undefined;
  try {
    value = parseJson(bytes, "manifest");
    shows = typeOf(value);
    const facts = { shows, namesType: namesType(value), isManifest: isManifest(value) };
    return { ...facts, ...describe(bytes, value, mediaType ?? shows), fault: undefined };
  } catch (error) {
    const fault = error instanceof Error ? error : new Error(String(error));
    shows ??= typeInside(bytes);
    const described = { mediaType: mediaType ?? shows, references: [], readable: false };
    const facts = { shows, namesType: namesType(value), isManifest: isManifest(value) };
    return { ...facts, described, children: [], ambiguity: undefined, fault };
  }
};

/** @throws DrayError `MANIFEST_INVALID`, `LIMIT_EXCEEDED` */
const describe = (
  bytes: Uint8Array,
  value: unknown,
  mediaType: string,
): Pick<Inspection, "described" | "children" | "ambiguity"> => {
  const parsed = asManifest(value, mediaType);
  if (parsed.kind === "schema1") {
    const described = { mediaType, references: [...new Set(parsed.blobs)], readable: false };
    return { described, children: [], ambiguity: undefined };
  }
  const artifactType = artifactTypeOf(parsed);
  const subject = subjectOf(parsed)?.digest;
  const annotations = annotationsOf(parsed);
  const children = childrenOf(parsed);
  const ambiguity = ambiguityOf(bytes, value);
  const sizes = new Map(children.map(({ digest, size }) => [digest, size]));
  const described = {
    mediaType,
    ...(artifactType === undefined ? {} : { artifactType }),
    ...(subject === undefined ? {} : { subject }),
    ...(annotations === undefined ? {} : { annotations: JSON.stringify(annotations) }),
    references: [...sizes.keys()],
    sizes: [...sizes.values()],
    // What a client makes of such a one may need something else.
    readable: ambiguity === undefined,
  };
  return { described, children, ambiguity };
};

/** The media type that a manifest shows by itself, whatever else is wrong with it. */
export const typeInside = (bytes: Uint8Array): string => {
  try {
    return typeOf(JSON.parse(new TextDecoder().decode(bytes)));
  } catch {
    return "application/octet-stream";
  }
};

/** Whether content is a manifest by what it says itself, whatever it is linked as: a configuration is JSON, too. */
const isManifest = (value: unknown): boolean => {
  if (!isObject(value)) return false;
  const { schemaVersion, config, layers, manifests, fsLayers } = value;
  if (schemaVersion === 1) return Array.isArray(fsLayers);
  return schemaVersion === 2 && (Array.isArray(manifests) || (isObject(config) && Array.isArray(layers)));
};

const namesType = (value: unknown): value is { readonly mediaType: string } =>
  isObject(value) && isTypeText(value["mediaType"]);

const typeOf = (value: unknown): string => {
  if (!isObject(value)) return "application/octet-stream";
  if (namesType(value)) return value.mediaType;
  if (value["schemaVersion"] === 1)
    return "signatures" in value ? mediaTypes.dockerSchema1Signed : mediaTypes.dockerSchema1;
  return Array.isArray(value["manifests"]) ? mediaTypes.ociIndex : mediaTypes.ociManifest;
};

/** Whether text can stand in a `Content-Type`: what is in the tree may be anybody's, and a line end in it would begin another header. */
export const isTypeText = (text: unknown): text is string =>
  typeof text === "string" && /^[\u0021-\u007e][\u0020-\u007e]{0,254}$/.test(text);

/** Members that decide what a manifest is and needs, of the document and of its descriptors. */
const documentMembers = memberNames("schemaVersion mediaType artifactType config layers manifests fsLayers subject");
const descriptorMembers = memberNames("mediaType digest size urls artifactType");

/**
 * Why programs may read a document in different ways, if they may (what CVE-2021-41190 was made of): a member that is there twice,
 * of which some take the first and some the last, or one that is spelled in other letters, which Go's parser takes for the one it
 * knows and others pass over. What it is not read for is nobody's trouble: annotations and members unknown may be called anything.
 * @param value the same document, parsed within limits of size and depth
 */
const ambiguityOf = (bytes: Uint8Array, value: unknown): string | undefined => {
  if (!isObject(value)) return undefined;
  const twin = misspelt(value, documentMembers) ?? misspeltBelow(value);
  if (twin !== undefined) return `"${twin}" is a member in other letters`;
  return colonsOf(bytes) === membersOf(value) ? undefined : "a member is there twice";
};

/** By the name that Go folds it to. */
function memberNames(names: string): ReadonlyMap<string, string> {
  return new Map(names.split(" ").map((name) => [folded(name), name]));
}

/** Go folds as Unicode does: the long s and the Kelvin sign are letters of ours as well. */
function folded(name: string): string {
  return name.toLowerCase().replaceAll("\u017f", "s").replaceAll("\u212a", "k");
}

const misspelt = (value: object, known: ReadonlyMap<string, string>): string | undefined => {
  const name = Object.keys(value).find((key) => {
    const meant = key.length > 30 ? undefined : known.get(folded(key));
    return meant !== undefined && meant !== key;
  });
  return name === undefined ? undefined : known.get(folded(name));
};

const misspeltBelow = (value: Readonly<Record<string, unknown>>): string | undefined => {
  for (const part of [value["config"], value["subject"], value["layers"], value["manifests"]])
    for (const descriptor of Array.isArray(part) ? part : [part]) {
      const twin = isObject(descriptor) ? misspelt(descriptor, descriptorMembers) : undefined;
      if (twin !== undefined) return twin;
    }
  return undefined;
};

/** Outside of texts there is one for each member that was written. */
const colonsOf = (bytes: Uint8Array): number => {
  let colons = 0;
  let inText = false;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i];
    if (inText) {
      if (byte === 0x5c) i++;
      else if (byte === 0x22) inText = false;
    } else if (byte === 0x22) inText = true;
    else if (byte === 0x3a) colons++;
  }
  return colons;
};

/** Members that are left when each name counts once. */
const membersOf = (value: unknown): number => {
  if (typeof value !== "object" || value === null) return 0;
  const below = Object.values(value);
  return below.reduce((sum: number, one) => sum + membersOf(one), Array.isArray(value) ? 0 : below.length);
};
