import type { Digest } from "dray/oci";

export interface CollectOptions {
  /** Decides and reports everything, removes nothing. */
  readonly dryRun?: boolean;
  /** Milliseconds; default: the registry's setting. */
  readonly grace?: number;
  /** Milliseconds, no more than the registry's setting, which is the default. `0`: promises of blobs do not count, because nobody is pushing. */
  readonly lease?: number;
  /** Lets manifests without a tag go that are older, in milliseconds; `undefined` keeps them. Default: the registry's setting. */
  readonly untagged?: number;
  /** Also removes repositories that have nothing any more. */
  readonly empty?: boolean;
  /** Also tells of signature and fallback tags whose image is gone, and removes those whose image was here. */
  readonly orphans?: boolean;
  readonly signal?: AbortSignal;
  /** Hears each decision. */
  readonly onDecision?: (decision: Decision) => void;
  /** Whether the log says which repositories are kept whole, as the answer does. Default `true`. */
  readonly tellsHeld?: boolean;
}

/** What garbage collection decided about one thing that nothing uses, and why. What is used is not spoken of. */
export interface Decision {
  readonly kind: "manifest" | "tag" | "layer" | "blob" | "upload" | "repository";
  /** Missing for a blob of the pool. */
  readonly repository?: string;
  readonly digest?: Digest;
  /** Of an upload; the name of a tag. */
  readonly id?: string;
  readonly action: "remove" | "keep";
  /** In words: `unreferenced, written 3 days ago`, `leased`, `younger than the grace of 24 h`, `unreadable manifest sha256:…`. */
  readonly reason: string;
  /** Bytes that come back with it. */
  readonly bytes?: number;
}

/** What was removed; of a dry run, what would have been. */
export interface Collected {
  readonly manifests: number;
  readonly layers: number;
  readonly blobs: number;
  readonly uploads: number;
  readonly tags: number;
  readonly repositories: number;
  /** Of blobs and uploads. */
  readonly bytes: number;
  /** Things that nothing uses and that stay for now: each was a decision `keep`. */
  readonly kept: number;
  /** Manifests that could not be read whole; everything linked in their repositories was kept. */
  readonly unreadable: readonly { readonly repository: string; readonly digest: Digest }[];
  /** Repositories that nothing was taken from, why, and what ends that. */
  readonly held: readonly { readonly repository: string; readonly reason: string; readonly remedy: string }[];
  /** Things that could not be read or removed and were passed: each was told. */
  readonly troubles: number;
  /** Why no blob was swept: links may lie where nobody could look. */
  readonly unswept?: string;
  readonly dryRun: boolean;
  /** Nothing was looked at: until then promises given before the start may still hold, or ages may be wrong. Milliseconds since 1970. */
  readonly notBefore?: number;
  /** Milliseconds by which the system's clock was set, where that is why. */
  readonly clockWentBy?: number;
  readonly seconds: number;
}

/** What the collector is doing. */
export interface CollectorState {
  readonly running: boolean;
  /** `waiting`: for the metadata to be whole. */
  readonly phase?: "waiting" | "repositories" | "pool" | "uploads";
  /** The last one looked at. */
  readonly repository?: string;
  /** The last run that came to its end. */
  readonly last?: Collected;
}

/** The two sets of a garbage collection as distribution does it: no grace, no leases, all manifests stay, links count for nothing. */
export interface Marks {
  /** Manifests and what they refer to, whether it is there or not. In order. */
  readonly marked: readonly Digest[];
  /** Blobs of the pool that are not marked. In order. */
  readonly eligible: readonly Digest[];
}
