import type { KeyedMutex, KeyedRwLock } from "dray/internal/async";
import type { Deletions } from "../deletion/index.ts";
import type { Tree } from "../distribution-tree/index.ts";
import type { Leases } from "../leases/index.ts";
import type { Metadata, Reconciler } from "../metadata/types.ts";
import type { Notice } from "../options.ts";
import type { Lists, Manifests } from "../read-cache/index.ts";
import type { Uploads } from "../uploads/types.ts";

/** What a registry consists of; each endpoint takes what it needs. */
export interface RegistryContext {
  readonly tree: Tree;
  readonly metadata: Metadata;
  readonly reconciler: Reconciler;
  readonly manifests: Manifests;
  readonly lists: Lists;
  readonly uploads: Uploads;
  readonly deletions: Deletions;
  readonly locks: KeyedRwLock;
  /** By `repository\0tag`. Taken after the locks of digests. */
  readonly tagLocks: KeyedMutex;
  readonly leases: Leases;
  readonly settings: RegistrySettings;
  readonly now: () => number;
  readonly onNotice: (notice: Notice) => void;
}

/** Settings that endpoints look at, with their defaults filled in. */
export interface RegistrySettings {
  readonly deletes: boolean;
  readOnly: boolean;
  readonly largestManifest: number;
  readonly refuseSparse: boolean;
  readonly pages: { readonly tags: number; readonly catalog: number; readonly referrers: number };
  readonly locations: { readonly host?: string; readonly prefix: string; readonly relative: boolean };
  readonly freeSpace: number;
}
