import { algorithmOf, type Digest, hexOf, isDigest } from "dray/oci";
import type { FileVersion } from "../storage/index.ts";

/** The CNCF distribution's own tree, so that it can be served by either. Paths are relative to the driver's root. */
export const root = "docker/registry/v2";
/** What GitLab's registry puts beside it where it keeps links and tags in a database. */
export const databaseLock = "docker/registry/lockfiles/database-in-use";
export const blobsRoot: string = `${root}/blobs`;
export const repositoriesRoot: string = `${root}/repositories`;

export const blobFolder = (digest: Digest): string =>
  `${blobsRoot}/${algorithmOf(digest)}/${hexOf(digest).slice(0, 2)}/${hexOf(digest)}`;
export const blobPath = (digest: Digest): string => `${blobFolder(digest)}/data`;

export const repositoryPath = (repository: string): string => `${repositoriesRoot}/${repository}`;

const inFolder = (digest: Digest): string => `${algorithmOf(digest)}/${hexOf(digest)}`;

/** A blob's membership in a repository. */
export const layersPath = (repository: string): string => `${repositoryPath(repository)}/_layers`;
export const layerFolder = (repository: string, digest: Digest): string =>
  `${layersPath(repository)}/${inFolder(digest)}`;

/** A manifest's membership in a repository. */
export const revisionsPath = (repository: string): string => `${repositoryPath(repository)}/_manifests/revisions`;
export const revisionFolder = (repository: string, digest: Digest): string =>
  `${revisionsPath(repository)}/${inFolder(digest)}`;

export const tagsPath = (repository: string): string => `${repositoryPath(repository)}/_manifests/tags`;
export const tagFolder = (repository: string, tag: string): string => `${tagsPath(repository)}/${tag}`;
/** What a tag stands for now. */
export const currentLink = (repository: string, tag: string): string => `${tagFolder(repository, tag)}/current/link`;
/** Each digest that a tag ever stood for. */
export const historyPath = (repository: string, tag: string): string => `${tagFolder(repository, tag)}/index`;
export const historyLink = (repository: string, tag: string, digest: Digest): string =>
  `${historyPath(repository, tag)}/${inFolder(digest)}/link`;

/** What a deleted tag stood for. Ours: distribution passes over it, as over `_meta/types`. */
export const deletedTagsPath = (repository: string): string => `${repositoryPath(repository)}/_meta/deleted-tags`;
export const deletedTagPath = (repository: string, tag: string): string => `${deletedTagsPath(repository)}/${tag}`;

/** Says since when a manifest is known to have no tag. Ours as well. */
export const untaggedPath = (repository: string, digest: Digest): string =>
  `${repositoryPath(repository)}/_meta/untagged/${inFolder(digest)}`;

export const uploadsPath = (repository: string): string => `${repositoryPath(repository)}/_uploads`;
export const uploadFolder = (repository: string, id: string): string => `${uploadsPath(repository)}/${id}`;
export const uploadData = (repository: string, id: string): string => `${uploadFolder(repository, id)}/data`;
export const uploadStarted = (repository: string, id: string): string => `${uploadFolder(repository, id)}/startedat`;

/**
 * The type a manifest was pushed with, where its bytes do not show it. Ours: distribution passes over what begins with `_` and
 * is not its own.
 */
export const typePath = (repository: string, digest: Digest): string =>
  `${repositoryPath(repository)}/_meta/types/${inFolder(digest)}`;

/** The digest in a link file: bare, or with white space around it. */
export const linked = (bytes: Uint8Array | undefined): Digest | undefined => {
  if (bytes === undefined) return undefined;
  const text = new TextDecoder().decode(bytes).trim();
  return isDigest(text) ? text : undefined;
};

/** What a tag stands for, and the state of the file that says so. */
export interface TagLink {
  readonly digest: Digest;
  readonly version: FileVersion;
}
