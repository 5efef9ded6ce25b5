import type { WriteOptions } from "../content/index.ts";
import { isDrayError } from "../errors.ts";
import { type ParsedManifest, parseManifest, subjectOf } from "../oci/index.ts";
import type { Repo } from "./api.ts";
import { putManifest, type ReadManifest } from "./manifests.ts";
import { addToFallback } from "./referrers-tag.ts";

/**
 * Pushes a manifest under a tag or its digest. One that refers to another and whose registry does not say that it has
 * noted that (`OCI-Subject`) is entered into the list that clients keep.
 * @see https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pushing-manifests-with-subject
 */
export const pushManifest = async (
  repo: Repo,
  manifest: ReadManifest,
  name: string,
  options: WriteOptions = {},
): Promise<void> => {
  const { subject } = await putManifest(repo, manifest, name, options);
  if (subject !== undefined) return;
  const parsed = options.parsed ?? understood(manifest);
  const unnoted = parsed && subjectOf(parsed);
  if (unnoted) await addToFallback(repo, unnoted.digest, manifest.descriptor, parsed, options);
};

/** What the registry took may still be nothing that we understand; then it refers to nothing. */
const understood = ({ descriptor, bytes }: ReadManifest): ParsedManifest | undefined => {
  try {
    return parseManifest(bytes, descriptor.mediaType);
  } catch (error) {
    if (isDrayError(error)) return undefined;
    throw error;
  }
};
