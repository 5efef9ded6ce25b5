import type { Digest } from "dray/oci";

export interface CollectOptions {
  /** Decides and reports everything, removes nothing. */
  readonly dryRun?: boolean;
  /** Milliseconds; default: the registry's setting. */
  readonly grace?: number;
  /** Lets manifests without a tag go that are older, in milliseconds; `undefined` keeps them. Default: the registry's setting. */
  readonly untagged?: number;
  readonly signal?: AbortSignal;
  /** Hears each decision. */
  readonly onDecision?: (decision: Decision) => void;
}

/** What garbage collection decided about one thing, and why. */
export interface Decision {
  readonly kind: "manifest" | "layer" | "blob" | "upload" | "repository";
  /** Missing for a blob of the pool. */
  readonly repository?: string;
  readonly digest?: Digest;
  readonly action: "remove" | "keep";
  /** In words: `unreferenced, written 3 days ago`, `leased`, `younger than the grace of 24 h`, `unreadable manifest sha256:…`. */
  readonly reason: string;
  /** Bytes that come back with it. */
  readonly bytes?: number;
}

export interface Collected {
  readonly manifests: number;
  readonly layers: number;
  readonly blobs: number;
  readonly bytes: number;
  readonly kept: number;
  /** Manifests that could not be read whole; everything linked in their repositories was kept. */
  readonly unreadable: readonly { readonly repository: string; readonly digest: Digest }[];
  readonly dryRun: boolean;
  readonly seconds: number;
}
