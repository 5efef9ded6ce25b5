import type { Cancel } from "../content/index.ts";
import { isDrayError, throwIfAborted } from "../errors.ts";
import type { RetryBudget } from "../http/index.ts";
import type { Descriptor } from "../oci/index.ts";
import type { Repo } from "./api.ts";
import { mountOrOpen, type UploadSession } from "./session.ts";

/**
 * Takes a blob over from another repository of the same registry, without moving its bytes.
 * @returns `true` where it is there now; a session where the registry opened one to upload it instead; `false` where
 * it can only be uploaded. A mount is a shortcut: whatever goes wrong with it, the long way is still open.
 */
export const mountBlob = async (
  repo: Repo,
  descriptor: Descriptor,
  source: Repo,
  retryBudget: RetryBudget,
  { signal }: Cancel = {},
): Promise<UploadSession | boolean> => {
  if (source.api.registry !== repo.api.registry || source.name === repo.name) return false;
  try {
    const { digest } = descriptor;
    return await mountOrOpen(repo, digest, source.name, { reference: digest, signal, retryBudget });
  } catch (error) {
    throwIfAborted(signal);
    if (isDrayError(error)) return false;
    throw error;
  }
};
