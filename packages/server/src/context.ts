import { Memory, type Share } from "@dray/service/memory";
import { type Blocks, blocksOf } from "@dray/service/response";
import { KeyedRwLock } from "dray/internal/async";
import { defined } from "dray/internal/defined";
import { Blobs, type CompleteIndexes } from "./blobs/index.ts";
import { ClockJumps } from "./clock-jumps.ts";
import { Deletions } from "./deletion/index.ts";
import { Tree } from "./distribution-tree/index.ts";
import { type Collector, createCollector, type Retention } from "./gc/index.ts";
import { Leases } from "./leases/index.ts";
import { Metadata, Reconciler } from "./metadata/index.ts";
import type { Notice } from "./notice.ts";
import type { RegistryOptions } from "./options.ts";
import { Lists, Manifests } from "./read-cache/index.ts";
import { RegistryError, readOnlyNow } from "./registry-error.ts";
import { parseQuotas, Room } from "./room/index.ts";
import { Uploads } from "./uploads/index.ts";
import { Verifier } from "./verify/index.ts";

/** What a registry consists of; each endpoint takes what it needs. */
export interface RegistryContext {
  readonly tree: Tree;
  readonly metadata: Metadata;
  readonly reconciler: Reconciler;
  readonly blobs: Blobs;
  readonly manifests: Manifests;
  /** Memory of what begins to come. */
  readonly beginnings: Share;
  /** Memory of manifests that are there whole. */
  readonly whole: Share;
  /** Memory that downloads are read into. */
  readonly downloads: Blocks;
  readonly lists: Lists;
  readonly uploads: Uploads;
  readonly deletions: Deletions;
  readonly collector: Collector;
  readonly verifier: Verifier;
  readonly locks: KeyedRwLock;
  /** By `repository\0tag`. Taken after the locks of digests. */
  readonly tagLocks: KeyedRwLock;
  readonly leases: Leases;
  readonly room: Room;
  readonly jumps: ClockJumps;
  readonly settings: RegistrySettings;
  readonly now: () => number;
  readonly onNotice: (notice: Notice) => void;
  /** Something was taken out of a repository, or came back: what is remembered of it is not used any more. */
  readonly forget: (repository: string) => void;
  /** Parks uploads and lets go of everything but the driver. */
  readonly close: () => Promise<void>;
}

/** Settings that endpoints look at, with their defaults filled in. */
export interface RegistrySettings {
  readonly deletes: boolean;
  readOnly: boolean;
  readonly largestManifest: number;
  readonly sparseImages: boolean;
  readonly completeIndexes: CompleteIndexes;
  readonly pages: { readonly tags: number; readonly catalog: number; readonly referrers: number };
  readonly locations: { readonly host?: string; readonly prefix: string; readonly relative: boolean };
  readonly freeSpace: number;
}

const hours = 3_600_000;

/** Bytes of manifests that may be in memory whole whatever else is there. */
const wholeManifests = 8 * 1024 * 1024;

/** Puts the parts of a registry together, without the API: for `createRegistry`, and for tests of what lies below it. */
export const createContext = (options: RegistryOptions): RegistryContext => {
  const { driver, now = Date.now, onNotice = () => {}, memory = 64 * 1024 * 1024, recheckAfter = 2000 } = options;
  const { elapsed = options.now ?? performance.now.bind(performance) } = options;
  const { lease = hours, share } = options.gc ?? {};
  const { age = 7 * 24 * hours, silence = 5000 } = options.uploads ?? {};
  const { traffic = new Memory() } = options;
  const settings = settingsOf(options);
  const tree = new Tree(driver);
  const metadata = new Metadata(options.index ?? ":memory:", { onNotice });
  const whole = traffic.share(wholeManifests);
  const reconciler = new Reconciler({ tree, metadata, now, elapsed, recheckAfter, onNotice });
  const { changes } = reconciler.repositories;
  const manifests = new Manifests({
    tree,
    changes,
    whole,
    memory: memory / 2,
    recheckAfter,
    now,
    elapsed,
    onNotice,
    ...(options.counts === undefined ? {} : { counts: options.counts }),
    ...(options.largestServed === undefined ? {} : { largest: options.largestServed }),
  });
  const lists = new Lists(memory / 2, changes);
  const blobs = new Blobs({ tree, driver, metadata, reconciler, onNotice });
  const beginnings = traffic.share(0);
  const uploads = new Uploads({ driver, now, elapsed, lease, silence, onNotice, beginnings });
  const locks = new KeyedRwLock();
  const tagLocks = new KeyedRwLock();
  const leases = new Leases({
    length: lease,
    now: elapsed,
    uploading: (repository) => uploads.isOpenIn(repository),
    onNotice: (message) => onNotice({ level: "warn", message }),
  });
  const jumps = new ClockJumps({ now, elapsed, onNotice });
  const room = new Room({
    tree,
    freeSpace: settings.freeSpace,
    quotas: parseQuotas(options.quotas ?? []),
    now: elapsed,
    onNotice,
  });
  const forget = (repository: string): void => {
    room.forget(repository);
    reconciler.repositories.changed(repository);
  };
  const guard = (): RegistryError | undefined => refusedDeletes(settings);
  const deletions = new Deletions({ tree, metadata, reconciler, locks, tagLocks, guard, forget, onNotice });
  const verifier = new Verifier({
    tree,
    driver,
    metadata,
    blobs,
    locks,
    completeness: settings,
    rate: options.verify?.rate ?? 100 * 1024 * 1024,
  });
  const collector = createCollector({
    tree,
    metadata,
    reconciler,
    locks,
    tagLocks,
    leases,
    uploads,
    retention: retentionOf(options.gc),
    settings: defined({ lease, uploads: age, share }),
    now,
    elapsed,
    jumps,
    forget,
    onNotice,
  });
  return {
    tree,
    metadata,
    reconciler,
    blobs,
    manifests,
    beginnings,
    whole,
    downloads: blocksOf(traffic.share(0)),
    lists,
    uploads,
    deletions,
    collector,
    verifier,
    locks,
    tagLocks,
    leases,
    room,
    jumps,
    settings,
    now,
    onNotice,
    forget,
    close: async () => {
      await uploads.close();
      await reconciler.close();
      metadata.close();
    },
  };
};

/** What garbage collection keeps, with its defaults filled in: what is not said is off. */
export const retentionOf = ({ grace = 24 * hours, untagged }: NonNullable<RegistryOptions["gc"]> = {}): Retention =>
  defined({ grace, untagged });

/** Why nothing may be deleted at the moment, of whatever kind and by whatever name. */
const refusedDeletes = ({ readOnly, deletes }: RegistrySettings): RegistryError | undefined => {
  if (readOnly) return readOnlyNow();
  return deletes ? undefined : new RegistryError(405, "UNSUPPORTED", "deleting is disabled here");
};

const settingsOf = (options: RegistryOptions): RegistrySettings => ({
  deletes: options.deletes ?? true,
  readOnly: options.readOnly ?? false,
  largestManifest: options.largestManifest ?? 4 * 1024 * 1024,
  sparseImages: options.sparseImages ?? false,
  completeIndexes: options.completeIndexes ?? "none",
  pages: { tags: 1000, catalog: 1000, referrers: 1000, ...options.pages },
  locations: { prefix: "", relative: true, ...options.locations },
  freeSpace: options.freeSpace ?? 0,
});
