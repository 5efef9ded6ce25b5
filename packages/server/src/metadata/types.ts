import type { Annotations, Digest } from "dray/oci";
import type { FileVersion } from "../distribution-tree/index.ts";

/** A manifest as the metadata keeps it. */
export interface ManifestRecord {
  readonly digest: Digest;
  readonly mediaType: string;
  /** Bytes of the manifest itself. */
  readonly size: number;
  readonly artifactType?: string;
  readonly subject?: Digest;
  readonly annotations?: Annotations;
  /** Digests of its children, each once. */
  readonly references: readonly Digest[];
  /** `false`: what it needs is not known, and garbage collection keeps everything in its repository. */
  readonly readable: boolean;
  /** When it was pushed; milliseconds since 1970. */
  readonly pushedAt: number;
}

export interface TagRecord {
  readonly name: string;
  readonly digest: Digest;
  /** When it was last set; milliseconds since 1970. */
  readonly at: number;
  /** The state of the link that was read, where it was looked at: an unchanged one need not be read again. */
  readonly version?: FileVersion;
}

export interface Page {
  /** Only what comes behind this, in byte order. */
  readonly after?: string;
  readonly limit: number;
}

/**
 * What the registry knows of its tree, in tables. Derived: it can be deleted at any time and is rebuilt. All calls are
 * synchronous and short; a page never costs more for what lies before it.
 */
export interface Metadata {
  /** In byte order. */
  tags(repository: string, page: Page): TagRecord[];
  tag(repository: string, tag: string): TagRecord | undefined;
  /** Tags that stand for a digest. */
  tagsOf(repository: string, digest: Digest): string[];
  manifest(repository: string, digest: Digest): ManifestRecord | undefined;
  /** Those of the manifests, in order. */
  digests(repository: string, page: Page): Digest[];
  /** In the order of digests. Each may take a few megabytes. */
  manifests(repository: string, page: Page): ManifestRecord[];
  /** Manifests whose subject is this digest, in the order of digests. */
  referrers(repository: string, subject: Digest, page: Page & { readonly artifactType?: string }): ManifestRecord[];
  /** Bytes of the annotations in such a page: they may be as large as manifests, each of them. */
  referrersBytes(repository: string, subject: Digest, page: Page & { readonly artifactType?: string }): number;
  /** Whether any manifest of the repository has this digest among its children. */
  refersTo(repository: string, digest: Digest): boolean;
  /** Whether any manifest anywhere has this digest among its children, or is it. */
  isUsed(digest: Digest): boolean;
  /** Repositories with a manifest that has this digest among its children; a few of them at least. */
  holders(digest: Digest): string[];
  /** Whether the repository holds a manifest that could not be read whole. */
  unreadable(repository: string): Digest[];
  /** In byte order. */
  repositories(page: Page): string[];
  counts(): { readonly repositories: number; readonly tags: number; readonly manifests: number };

  putManifest(repository: string, manifest: ManifestRecord): void;
  removeManifest(repository: string, digest: Digest): void;
  putTag(repository: string, tag: TagRecord): void;
  removeTag(repository: string, tag: string): void;
  hasRepository(repository: string): boolean;
  /** Makes a repository known that has neither manifests nor tags, perhaps. */
  putRepository(repository: string): void;
  /** Forgets a repository and all in it. */
  removeRepository(repository: string): void;
  /** Makes all changes inside one transaction: all of them or none. */
  transaction<T>(work: () => T): T;
  /** Becomes another number when everything was lost: by `reset`, or because the file was damaged. Then it fills anew. */
  readonly generation: number;
  /** Forgets everything. `memory`: and leaves its file, which cannot be written, for the rest of its life. */
  reset(where?: "memory"): void;
  close(): void;
}

/**
 * Keeps the metadata equal to the tree. Each start looks at every repository in the background; writes of this process are told to
 * it; those of another are noticed by the times of directories.
 */
export interface Reconciler {
  /**
   * Resolves when the metadata says of this repository what the tree says, having read the tree if need be: after the start, after a
   * failed write of the metadata, after another program changed it. `false`: there is no such repository.
   */
  reconcile(repository: string): Promise<boolean>;
  /** Whether a repository was looked at since the start and nothing failed since. */
  isReconciled(repository: string): boolean;
  /**
   * Runs a write of this process to the repository's tree and its metadata, so that it is not taken for somebody else's. If the metadata
   * part throws, the repository is invalidated, and the write has succeeded all the same. Of one tag or digest the caller has one write
   * at a time under way; the tree part neither reconciles the repository nor begins another write of it.
   */
  write<T>(repository: string, tree: () => Promise<T>, metadata: (result: T) => void): Promise<T>;
  /** Begins the look at every repository. */
  start(): void;
  /** Resolves when every repository is reconciled; begins the look if nobody did. Rejects after `close`. */
  reconciled(): Promise<void>;
  /**
   * Looks at every link of every repository again and resolves when all of that is done: also at what changes no directory's time,
   * such as another program's writing a tag or a revision that had a folder already.
   */
  refresh(): Promise<void>;
  readonly isComplete: boolean;
  /**
   * Looks in the background for repositories that another program made or removed, unless it did so lately: for lists of
   * repositories, which no directory's time vouches for.
   */
  discover(): void;
  /** Forgets everything and begins again. */
  rebuild(): Promise<void>;
  /** What differs between index and tree, read-only. */
  check(options?: { signal?: AbortSignal }): AsyncIterable<Difference>;
  close(): Promise<void>;
}

export interface Difference {
  readonly repository: string;
  readonly kind: "tag" | "manifest" | "repository";
  readonly name: string;
  /** `missing`: the tree has it, the metadata does not; `extra`: the other way round; `different`: both, unlike. */
  readonly what: "missing" | "extra" | "different";
}
