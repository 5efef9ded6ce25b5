import type { ImageEntry } from "../entry/index.ts";
import type { Repository } from "../repository.ts";

/** What went wrong when something was looked at last. Milliseconds since 1970. */
export interface LastError {
  readonly message: string;
  /** Of `DrayError`, where it is known. */
  readonly code?: string;
  /** Since when it has gone wrong in this way, where that is known. */
  readonly since?: number;
  /** When it was last met. */
  readonly seen?: number;
}

/** What is known of one tag. */
export interface KnownTag {
  /** What came of looking at it; nothing did yet, if there is none. */
  readonly entry?: ImageEntry;
  /** Since when that is no longer sure. */
  readonly lastError?: LastError;
  /** No policy wants it: it is not looked into, and nothing is missing for that. */
  readonly unwanted?: true;
}

/** What is known of a repository. */
export interface KnownRepository {
  /** Every tag that there is, in no order to rely on. */
  readonly tags: ReadonlyMap<string, KnownTag>;
  /** Whether the last list of tags was whole. */
  readonly complete: boolean;
  /** When it was last listed as it should be, in milliseconds since 1970; never yet, if there is none. */
  readonly lastUpdate?: number;
  /** What has gone wrong since. */
  readonly lastError?: LastError;
}

/**
 * Where what is known lies: the file of a watch, or a cache that somebody else fills. An implementation asks no registry.
 */
export interface KnownImages {
  /** `undefined`: nobody has heard of it. */
  repository(repository: Repository): Promise<KnownRepository | undefined>;
  /** `undefined`: nobody has heard of it, or there is no such tag. */
  tag(repository: Repository, tag: string): Promise<KnownTag | undefined>;
}
