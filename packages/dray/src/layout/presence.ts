import { type Cancel, childrenOfKind, type HasOptions, isManifest } from "../content/index.ts";
import { isDrayError, throwIfAborted } from "../errors.ts";
import { type Descriptor, type Digest, liesElsewhere, type ParsedManifest, subjectOf } from "../oci/index.ts";
import { deepest } from "./graph.ts";
import type { LayoutReader } from "./reader.ts";

/** A manifest whose file is there; whether it is damaged, or something that nobody here understands. */
export const manifestIfSound = async (
  { graph }: LayoutReader,
  descriptor: Descriptor,
  options: Cancel,
): Promise<ParsedManifest | "damaged" | "unknown"> => {
  try {
    return await graph.manifest(descriptor, options);
  } catch (error) {
    if (isDrayError(error, "DIGEST_MISMATCH", "SIZE_MISMATCH")) return "damaged";
    // Its bytes are what the digest says, whatever they mean.
    if (isDrayError(error, "MANIFEST_INVALID", "LIMIT_EXCEEDED", "UNSUPPORTED")) return "unknown";
    throw error;
  }
};

/**
 * Whether content is there with all that it needs. So a layout that lost something, or whose writer was killed, is made good
 * by copying the same there again: who finds a manifest complete looks no further.
 * @param unlisted manifests that will be entered into the index
 */
export const isWhole = (
  reader: LayoutReader,
  root: Descriptor,
  unlisted: ReadonlyMap<Digest, Descriptor>,
  options: HasOptions,
): Promise<boolean> => {
  if (!isManifest(root, options)) return reader.holds(root, options);
  // Each once: a few small indexes that name each other often would keep this busy for ever.
  const seen = new Set<Digest>();
  const manifest = async (descriptor: Descriptor, depth: number): Promise<boolean> => {
    const { digest } = descriptor;
    throwIfAborted(options.signal);
    // Copying tells of what is deeper.
    if (depth > deepest) return false;
    if (!(await reader.holds(descriptor, options))) return false;
    if (seen.has(digest)) return true;
    seen.add(digest);
    const parsed = await manifestIfSound(reader, descriptor, options);
    if (typeof parsed === "string") return parsed === "unknown";
    // What only points up to its subject is found by the index alone.
    if (subjectOf(parsed) !== undefined && !unlisted.has(digest))
      if (!(await reader.listed(options)).has(digest)) return false;
    for (const blob of childrenOfKind(parsed, "blob"))
      if (!liesElsewhere(blob) && !(await reader.holds(blob, options))) return false;
    for (const child of childrenOfKind(parsed, "manifest")) if (!(await manifest(child, depth + 1))) return false;
    return true;
  };
  return manifest(root, 0);
};
