import type { Descriptor } from "dray/oci";
import { type Described, describeDocument, isManifestDocument, parseDocument } from "./manifest-document.ts";

/** A child of a manifest, as its descriptor has it. */
export type Child = Pick<Descriptor, "digest" | "size" | "mediaType" | "urls" | "platform">;

/** What a manifest says, without its bytes. */
export interface Inspection {
  /** The media type that it shows by itself. */
  readonly shows: string;
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
  const document = parseDocument(bytes);
  const { shows } = document;
  const type = mediaType ?? shows;
  const isManifest = isManifestDocument(document);
  try {
    const { described, children, ambiguity } = describeDocument(document, type);
    return { shows, isManifest, described, children, ambiguity, fault: undefined };
  } catch (error) {
    const fault = error instanceof Error ? error : new Error(String(error));
    const described = { mediaType: type, references: [], readable: false };
    return { shows, isManifest, described, children: [], ambiguity: undefined, fault };
  }
};
