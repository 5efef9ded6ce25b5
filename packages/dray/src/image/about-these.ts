import type { Cancel } from "../content/index.ts";
import { isDrayError } from "../errors.ts";
import { annotationKeys, type Descriptor, type Digest, isIndexType, isManifestType } from "../oci/index.ts";
import { type ImageIndex, viewOf } from "./views.ts";

/**
 * Entries of an index that say something about others of it: attestations, by their annotation, artifacts, by their subject, and what says something
 * about those in turn. Those others are not among them.
 */
export const aboutThese = async (
  view: ImageIndex,
  these: ReadonlySet<Digest>,
  options: Cancel,
): Promise<readonly Descriptor[]> => {
  if (these.size === 0) return [];
  const { manifests } = await view.index();
  const about = new Map<Descriptor, string>();
  for (const child of manifests) {
    if (these.has(child.digest)) continue;
    const subject = child.annotations?.[annotationKeys.attestationDigest] ?? (await subjectOf(view, child, options));
    if (subject !== undefined) about.set(child, subject);
  }
  const meant = new Set<string>(these);
  for (let before = 0; before !== meant.size; ) {
    before = meant.size;
    for (const [child, subject] of about) if (meant.has(subject)) meant.add(child.digest);
  }
  return [...about.keys()].filter(({ digest }) => meant.has(digest));
};

/** An index may name what its registry does not have, and nobody knows what that is about. */
const thereIs = async <T>(found: Promise<T>): Promise<T | undefined> => {
  try {
    return await found;
  } catch (error) {
    if (isDrayError(error, "NOT_FOUND")) return undefined;
    throw error;
  }
};

/** An image for a platform says nothing about another one, and need not be read. */
const subjectOf = async (view: ImageIndex, child: Descriptor, options: Cancel): Promise<string | undefined> => {
  const { platform, mediaType } = child;
  const runs = platform !== undefined && platform.architecture !== "unknown";
  if (runs || !(isManifestType(mediaType) || isIndexType(mediaType))) return undefined;
  const artifact = await thereIs(viewOf(view.store, child, options));
  if (artifact === undefined) return undefined;
  const document = artifact.kind === "image" ? await artifact.manifest() : await artifact.index();
  return document.subject?.digest;
};
