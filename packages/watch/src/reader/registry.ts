import type { Reference } from "dray/oci";
import type { Excluded, ImageInfo } from "../entry/index.ts";
import type { Repository } from "../repository.ts";

/** What is known is older than what was tried since: it was true once, and may be still. */
export interface Stale {
  /** What has gone wrong since. */
  readonly message: string;
  /** Of `DrayError`, where it is known. */
  readonly code?: string;
  /** RFC 3339: since when. */
  readonly since?: string;
}

/** What is known of one image, under the name that was asked for. */
export interface KnownImage extends ImageInfo {
  readonly stale?: Stale;
}

/** What is known of a repository, under the name that was asked for. */
export interface RepositoryMetadata {
  /** As it was asked for: `alpine`. */
  readonly name: string;
  /** Canonical. */
  readonly repository: Repository;
  /** Every tag, sorted. One that no policy wants is here, and perhaps nowhere else. */
  readonly tags: readonly string[];
  /** By tag. */
  readonly images: ReadonlyMap<string, KnownImage>;
  /** Tags whose images are left out, and why. */
  readonly excluded: ReadonlyMap<string, Excluded>;
  /** Tags of which nothing is known yet, and why. */
  readonly missing: ReadonlyMap<string, string>;
  /** Whether the list of tags is whole and none of them is missing. */
  readonly complete: boolean;
  /** RFC 3339: when it was last listed as it should be. */
  readonly lastUpdate: string;
  readonly stale?: Stale;
}

/** How images are sorted, best first: by time of creation, those without one last; by version; by tag. */
export type ImageSort = "created" | "semver" | "tag";

/** How images are listed. */
export interface ImagesOptions {
  /** Default `created`. */
  readonly sort?: ImageSort;
}

/**
 * What is known of images. Never asks a registry: what nobody has looked at yet is an error, and no request. Names may be written in any way, and
 * answers use the one that was asked for.
 */
export interface Registry {
  /** @throws DrayError `NO_IMAGE_DATA` with the last error and its age, `SCAN_DISABLED`, `REFERENCE_INVALID` */
  getRepositoryMetadata(repository: Repository | string): Promise<RepositoryMetadata>;
  /**
   * @param image with its tag; `latest` where it has none
   * @throws DrayError as `getRepositoryMetadata`; for an image that is left out `NOT_FOUND`, `MANIFEST_INVALID` or `UNSUPPORTED`, with the reason
   */
  getImage(image: Reference | string): Promise<KnownImage>;
  /** The images of a repository, best first. @throws DrayError as `getRepositoryMetadata` */
  images(repository: Repository | string, options?: ImagesOptions): Promise<readonly KnownImage[]>;
}
