import { isDrayError } from "../errors.ts";
import { canonical, parseReference, type Reference } from "../oci/index.ts";

/**
 * The name of an image as `docker load` takes it: as it was typed, with `:latest` where it has no tag. What was asked for by digest
 * never had a tag; it gets one that says so, since an image without a name is hard to find after loading.
 * @throws ReferenceError
 */
export const repoTag = (name: string): string => {
  const reference = parseReference(name, { defaultTag: "" });
  if (reference.digest !== undefined) return `${fullRepository(reference)}:i-was-a-digest`;
  return reference.tag === undefined ? `${name}:latest` : name;
};

/** Tools that write archives call Docker Hub by its older name. */
const fullRepository = ({ registry, repository }: Reference): string =>
  `${registry === "docker.io" ? "index.docker.io" : registry}/${repository}`;

/** The name of an image in the old form: as it was typed, and none for what was asked for by digest. */
export const legacyTag = (name: string): { readonly repository: string; readonly tag: string } | undefined => {
  if (name === "" || parseReference(name, { defaultTag: "" }).digest !== undefined) return undefined;
  const colon = name.lastIndexOf(":");
  return colon > name.lastIndexOf("/")
    ? { repository: name.slice(0, colon), tag: name.slice(colon + 1) }
    : { repository: name, tag: "" };
};

/** A name in the one form of all that mean the same: `alpine`, `alpine:latest` and `docker.io/library/alpine:latest` do. */
export const inFull = (name: string): string => {
  try {
    return canonical(parseReference(name));
  } catch (error) {
    // Archives hold names that no registry would take, such as those of local builds.
    if (isDrayError(error, "REFERENCE_INVALID")) return name;
    throw error;
  }
};
