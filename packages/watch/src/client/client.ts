import type { Cancel } from "dray/content";
import type { Digest } from "dray/oci";
import type { ImageEntry } from "../entry/index.ts";
import type { Repository } from "../repository.ts";

/** The tags of a repository, as far as its registry tells them. */
export interface TagList {
  /** Each once, in the registry's order. */
  readonly tags: readonly string[];
  /** `false`: the list ended before it should, so that a tag that is missing here may be there. */
  readonly complete: boolean;
  /** What was wrong with the list, for people. */
  readonly faults: readonly string[];
}

/** What is known of a tag before it is looked at. */
export interface ManifestOptions extends Cancel {
  /** What the tag names now, as `digest` has told: that is looked at then, even if the tag has moved meanwhile. */
  readonly digest?: Digest | undefined;
}

/**
 * The registry of one repository, as a watch asks it. An implementation throws where there is no answer, which may be another one a moment
 * later; what an answer makes impossible to use is an entry with its reason.
 */
export interface Client {
  readonly repository: Repository;
  /** @throws DrayError `NOT_FOUND`, `UNAUTHORIZED`, `DENIED`, `RATE_LIMITED`, and what a request throws that gets no answer */
  tags(options?: Cancel): Promise<TagList>;
  /**
   * What a tag names, by HEAD, which registries that count pulls do not count.
   * @throws DrayError `NOT_FOUND` where there is no such tag (any more), and as `tags`
   */
  digest(tag: string, options?: Cancel): Promise<Digest>;
  /**
   * What a tag names, looked into.
   * @throws DrayError `NOT_FOUND` where there is no such tag (any more), and as `tags`
   */
  manifest(tag: string, options?: ManifestOptions): Promise<ImageEntry>;
}
