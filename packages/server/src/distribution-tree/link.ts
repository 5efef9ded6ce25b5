import { type Digest, isDigest } from "dray/oci";

/** The digest in a link file: bare, or with white space around it. */
export const linked = (bytes: Uint8Array | undefined): Digest | undefined => {
  if (bytes === undefined) return undefined;
  const text = new TextDecoder().decode(bytes).trim();
  return isDigest(text) ? text : undefined;
};
