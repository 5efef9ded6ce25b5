import { DrayError } from "dray/errors";
import { isIndexType, isManifestType, isSchema1Type, parseManifest } from "dray/oci";
import { Refusal } from "../answer/index.ts";
import { type Described, describe, typeInside } from "../tree/index.ts";

/**
 * Whether bytes are a manifest that may be pushed as `pushedType`. One document must not be readable as two things, so the type in
 * it agrees with the one of the request (CVE-2021-41190).
 * @throws Refusal MANIFEST_INVALID
 */
export const checkManifest = (bytes: Uint8Array, pushedType: string): Described => {
  const type = pushedType === "" || pushedType === "application/json" ? typeInside(bytes) : pushedType;
  if (isSchema1Type(type))
    throw new Refusal(400, "MANIFEST_INVALID", "manifests of schema 1 are served, and not taken any more");
  if (!isManifestType(type) && !isIndexType(type))
    throw new Refusal(400, "MANIFEST_INVALID", `${printable(type)} is no media type of a manifest or index`);
  try {
    parseManifest(bytes, type);
  } catch (error) {
    if (error instanceof DrayError) throw new Refusal(400, "MANIFEST_INVALID", error.message);
    throw error;
  }
  return describe(bytes, type);
};

const printable = (text: string): string => JSON.stringify(text.slice(0, 100));
