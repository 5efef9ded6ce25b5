import type { Cancel } from "../content/index.ts";
import { isDrayError, restated } from "../errors.ts";
import { type Descriptor, type Digest, isDigest, parseManifest, subjectOf } from "../oci/index.ts";
import { type Call, callIn, type Repo } from "./api.ts";
import { blobPath } from "./blobs.ts";
import { getManifest, lookUpManifest, manifestPath } from "./manifests.ts";
import { hasReferrersApi, removeFromFallback } from "./referrers.ts";

/**
 * Deletes a tag, or by digest a manifest with all tags that stand for it; never a blob. What is deleted is taken off the list of referrers that
 * clients keep where the registry has none.
 * @throws DrayError `NOT_FOUND`, `UNSUPPORTED` where the registry does not delete
 */
export const remove = async (repo: Repo, name: string, options: Cancel = {}): Promise<void> => {
  if (!isDigest(name)) return send(repo, deletion(repo, manifestPath(repo, name), name, options));
  const subject = await subjectIn(repo, name, options);
  repo.manifests.delete(name);
  await send(repo, deletion(repo, manifestPath(repo, name), name, options));
  if (subject !== undefined && !(await hasReferrersApi(repo, subject, options)))
    await removeFromFallback(repo, subject.digest, name, options);
};

/**
 * Takes a blob out of a repository, whatever refers to it there.
 * @throws DrayError `NOT_FOUND`, `UNSUPPORTED` where the registry does not delete
 */
export const removeBlob = async (repo: Repo, digest: Digest, options: Cancel = {}): Promise<void> =>
  send(repo, deletion(repo, blobPath(repo, digest), digest, options));

/** What a manifest refers to, where that has to be known: a registry with the referrers API keeps its lists itself. */
const subjectIn = async (repo: Repo, digest: Digest, options: Cancel): Promise<Descriptor | undefined> => {
  if (repo.api.features.referrers === true) return undefined;
  try {
    const { bytes, descriptor } = await getManifest(repo, digest, options);
    return subjectOf(parseManifest(bytes, descriptor.mediaType));
  } catch (error) {
    // What cannot be read or understood may be deleted all the same.
    if (isDrayError(error)) return undefined;
    throw error;
  }
};

const deletion = (repo: Repo, target: string, name: string, { signal }: Cancel): Call => ({
  ...callIn(repo, "pull,delete", "deleting", name),
  method: "DELETE",
  target,
  signal,
});

const send = async (repo: Repo, call: Call): Promise<void> => {
  const retryBudget = repo.api.retryBudget();
  const response = await repo.api.send({ ...call, retryBudget });
  // What is gone when it is asked again was deleted by the request whose answer was lost.
  const wasDeleted = response.status === 404 && retryBudget.wasDrawn;
  if ([200, 202, 204].includes(response.status) || wasDeleted) return response.body.discard();
  const refused = await repo.api.refusal(call, response);
  const { status, registry = "the registry", registryCode } = refused;
  const byDigest = call.reference.includes("@");
  // docker-registry 2.8 knows no deletion of tags: it takes the tag for a digest that is wrong.
  const tagRefused = status === 400 && registryCode === "DIGEST_INVALID" && !byDigest;
  // Where it says that it is read-only, what would be advised here would be refused as well.
  const isReadOnly = /\bread-only\b/i.test(refused.message);
  if (isReadOnly || (status !== 405 && registryCode !== "UNSUPPORTED" && !tagRefused))
    throw isReadOnly && registryCode === "UNSUPPORTED" ? restated(refused, "UNSUPPORTED", refused.message) : refused;
  const { signal } = call;
  if (
    !byDigest &&
    (await lookUpManifest(repo, call.reference.slice(call.reference.lastIndexOf(":") + 1), { signal })) === undefined
  )
    throw restated(refused, "NOT_FOUND", `there is no manifest ${call.reference}; check the name`, { status: 404 });
  const remedy = byDigest
    ? "its operator can allow it (docker-registry: storage.delete.enabled)"
    : "delete the manifest by its digest, which takes all of its tags along";
  throw restated(refused, "UNSUPPORTED", `${registry} does not delete ${call.reference}; ${remedy}`);
};
