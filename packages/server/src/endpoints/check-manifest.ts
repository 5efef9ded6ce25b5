import { DrayError } from "dray/errors";
import { type Descriptor, isIndexType, isManifestType, isSchema1Type } from "dray/oci";
import { type Described, describeDocument, parseDocument } from "../distribution-tree/index.ts";
import { RegistryError } from "../registry-error.ts";

/** A manifest that may be pushed, parsed once for all that is done with it. */
export interface CheckedManifest {
  readonly described: Described;
  readonly children: readonly Descriptor[];
  /** Whether its bytes tell its type. */
  readonly showsType: boolean;
}

/**
 * Whether bytes are a manifest that may be pushed as `pushedType`. One document must not be readable as two things, so the type in
 * it agrees with the one of the request (CVE-2021-41190).
 * @throws RegistryError MANIFEST_INVALID
 */
export const checkManifest = (bytes: Uint8Array, pushedType: string): CheckedManifest => {
  const document = parseDocument(bytes);
  const type = pushedType === "" || pushedType === "application/json" ? document.shows : pushedType;
  if (isSchema1Type(type))
    throw new RegistryError(400, "MANIFEST_INVALID", "manifests of schema 1 are served, and not taken any more");
  if (!isManifestType(type) && !isIndexType(type))
    throw new RegistryError(400, "MANIFEST_INVALID", `${printable(type)} is no media type of a manifest or index`);
  // Programs in Go, which most are, cannot read it.
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf)
    throw new RegistryError(400, "MANIFEST_INVALID", "the manifest begins with a byte order mark");
  try {
    const { described, children, ambiguity } = describeDocument(document, type);
    if (ambiguity !== undefined)
      throw new RegistryError(400, "MANIFEST_INVALID", `the manifest can be read in two ways: ${ambiguity}`);
    return { described, children, showsType: document.shows === type };
  } catch (error) {
    if (error instanceof DrayError) throw new RegistryError(400, "MANIFEST_INVALID", error.message);
    throw error;
  }
};

const printable = (text: string): string => JSON.stringify(text.slice(0, 100));
