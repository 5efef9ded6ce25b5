import {
  type Annotations,
  artifactTypeOf,
  childrenOf,
  type Digest,
  isObject,
  mediaTypes,
  parseManifest,
  subjectOf,
} from "dray/oci";
import { ambiguityOf } from "./ambiguous.ts";

/** What the registry needs to know of a manifest, read from its bytes. */
export interface Described {
  readonly mediaType: string;
  readonly artifactType?: string;
  readonly subject?: Digest;
  readonly annotations?: Annotations;
  /** Digests of its children: configuration, layers, manifests, in order, each once. The subject is none of them. */
  readonly references: readonly Digest[];
  /** `false`: it could not be read whole (schema 1, an unknown type, damage), so nobody knows what it needs. */
  readonly readable: boolean;
}

/**
 * Reads a stored manifest. Never throws: what cannot be read is told as not readable, under the type that its JSON names.
 * @param mediaType the type it was pushed with, where that is known
 */
export const describe = (bytes: Uint8Array, mediaType?: string): Described => {
  const type = mediaType ?? typeInside(bytes);
  try {
    const parsed = parseManifest(bytes, type);
    if (parsed.kind === "schema1") return { mediaType: type, references: [...new Set(parsed.blobs)], readable: false };
    const artifactType = artifactTypeOf(parsed);
    const subject = subjectOf(parsed)?.digest;
    const { annotations } = parsed.kind === "index" ? parsed.index : parsed.manifest;
    return {
      mediaType: type,
      ...(artifactType === undefined ? {} : { artifactType }),
      ...(subject === undefined ? {} : { subject }),
      ...(annotations === undefined ? {} : { annotations }),
      references: [...new Set(childrenOf(parsed).map(({ digest }) => digest))],
      // What a client makes of such a one may need something else.
      readable: ambiguityOf(bytes) === undefined,
    };
  } catch {
    return { mediaType: type, references: [], readable: false };
  }
};

/** The media type that a manifest shows by itself, as distribution infers it: the tree keeps none. */
export const typeInside = (bytes: Uint8Array): string => {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return "application/octet-stream";
  }
  if (!isObject(value)) return "application/octet-stream";
  if (isTypeText(value["mediaType"])) return value["mediaType"];
  if (value["schemaVersion"] === 1)
    return "signatures" in value ? mediaTypes.dockerSchema1Signed : mediaTypes.dockerSchema1;
  return Array.isArray(value["manifests"]) ? mediaTypes.ociIndex : mediaTypes.ociManifest;
};

/** Whether text can stand in a `Content-Type`: what is in the tree may be anybody's, and a line end in it would begin another header. */
export const isTypeText = (text: unknown): text is string =>
  typeof text === "string" && /^[\u0021-\u007e][\u0020-\u007e]{0,254}$/.test(text);
