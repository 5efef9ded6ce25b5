import type { Digest } from "dray/oci";

/** Something in a registry that is not whole, and what helps. */
export interface Finding {
  /** `data`: what lies in the pool under a digest, whoever needs it. */
  readonly kind: "tag" | "manifest" | "blob" | "data";
  /** Missing for `data`. */
  readonly repository?: string;
  readonly tag?: string;
  /** Missing where a tag's link names none. */
  readonly digest?: Digest;
  /** What is wrong. */
  readonly reason: string;
  /** What mends it. */
  readonly remedy: string;
  /** Where damaged data lies now. */
  readonly putAside?: string;
}

/** What a run looked at, and found. */
export interface Verified {
  readonly repositories: number;
  readonly tags: number;
  readonly manifests: number;
  /** Read whole, manifests among them. */
  readonly blobs: number;
  readonly bytes: number;
  readonly findings: number;
  /** Children that are not here and need not be: of sparse indexes, and of sparse images where these are taken. */
  readonly absent: number;
  readonly quarantined: number;
  /** When the run began; ISO 8601. One that goes on keeps it. */
  readonly begun: string;
}

export interface VerifyOptions {
  /** Bytes in a second at most; 0: no bound. Default: as the registry is set. */
  readonly rate?: number;
  /** `true`: goes on where the last run was cut off, with its sums. Default `false`: from the beginning. */
  readonly resume?: boolean;
  /** `true`: damaged data is put aside. Default `false`: it is marked alone. */
  readonly quarantine?: boolean;
  readonly signal?: AbortSignal | undefined;
  readonly onFinding?: ((finding: Finding) => void) | undefined;
}

/** Sums while they grow. */
export type Sums = { -readonly [K in keyof Verified]: Verified[K] };
