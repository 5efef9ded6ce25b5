import type { Content } from "dray/content";
import type { Digest } from "dray/oci";
import type { UploadSession } from "./session.ts";

/** A blob: its bytes can be opened again and again, or were hashed and dropped. */
export interface StoredBlob {
  readonly size: number;
  readonly content: Content | undefined;
}

export interface StoredManifest {
  readonly mediaType: string;
  readonly bytes: Uint8Array;
}

export interface RepositoryState {
  readonly manifests: Map<Digest, StoredManifest>;
  /** Preloaded tags may point to a digest that nobody has: they are there to be listed. */
  readonly tags: Map<string, Digest>;
  /** A blob is visible in a repository only where it was pushed or mounted. */
  readonly blobs: Set<Digest>;
  /** Tag names in order, until a tag comes or goes. */
  sorted: readonly string[] | undefined;
}

/** Everything a registry holds. One pool of blobs, each repository sees its own. */
export interface RegistryState {
  readonly repositories: Map<string, RepositoryState>;
  readonly blobs: Map<Digest, StoredBlob>;
  readonly uploads: Map<string, UploadSession>;
}

export const emptyState = (): RegistryState => ({ repositories: new Map(), blobs: new Map(), uploads: new Map() });

/** The repository of a name, made if it is not there. */
export const repositoryOf = (state: RegistryState, name: string): RepositoryState => {
  const held = state.repositories.get(name);
  if (held !== undefined) return held;
  const made: RepositoryState = { manifests: new Map(), tags: new Map(), blobs: new Set(), sorted: undefined };
  state.repositories.set(name, made);
  return made;
};

export const setTag = (repository: RepositoryState, tag: string, digest: Digest): void => {
  if (!repository.tags.has(tag)) repository.sorted = undefined;
  repository.tags.set(tag, digest);
};

export const removeTag = (repository: RepositoryState, tag: string): boolean => {
  repository.sorted = undefined;
  return repository.tags.delete(tag);
};

/** Tag names in byte order; 100,000 are sorted once, not at every page. */
export const sortedTags = (repository: RepositoryState): readonly string[] => {
  repository.sorted ??= [...repository.tags.keys()].sort();
  return repository.sorted;
};

/** A blob as a repository sees it. */
export const visibleBlob = (state: RegistryState, repository: string, digest: Digest): StoredBlob | undefined =>
  state.repositories.get(repository)?.blobs.has(digest) ? state.blobs.get(digest) : undefined;

/** The digest a tag or digest stands for, where the manifest is there. */
export const manifestDigest = (repository: RepositoryState | undefined, name: string): Digest | undefined => {
  const digest = repository?.tags.get(name) ?? (name as Digest);
  return repository?.manifests.has(digest) ? digest : undefined;
};
