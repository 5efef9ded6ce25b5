import { DrayError } from "dray/errors";
import { isIndexType, isManifestType, isSchema1Type, parseManifest } from "dray/oci";
import { ambiguityOf, type Described, describe, typeInside } from "../distribution-tree/index.ts";
import { RegistryError } from "../registry-error.ts";

/**
 * Whether bytes are a manifest that may be pushed as `pushedType`. One document must not be readable as two things, so the type in
 * it agrees with the one of the request (CVE-2021-41190).
 * @throws RegistryError MANIFEST_INVALID
 */
export const checkManifest = (bytes: Uint8Array, pushedType: string): Described => {
  const type = pushedType === "" || pushedType === "application/json" ? typeInside(bytes) : pushedType;
  if (isSchema1Type(type))
    throw new RegistryError(400, "MANIFEST_INVALID", "manifests of schema 1 are served, and not taken any more");
  if (!isManifestType(type) && !isIndexType(type))
    throw new RegistryError(400, "MANIFEST_INVALID", `${printable(type)} is no media type of a manifest or index`);
  // Programs in Go, which most are, cannot read it.
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf)
    throw new RegistryError(400, "MANIFEST_INVALID", "the manifest begins with a byte order mark");
  try {
    parseManifest(bytes, type);
  } catch (error) {
    if (error instanceof DrayError) throw new RegistryError(400, "MANIFEST_INVALID", error.message);
    throw error;
  }
  const described = describe(bytes, type);
  if (!described.readable)
    throw new RegistryError(400, "MANIFEST_INVALID", `the manifest can be read in two ways: ${ambiguityOf(bytes)}`);
  return described;
};

const printable = (text: string): string => JSON.stringify(text.slice(0, 100));
