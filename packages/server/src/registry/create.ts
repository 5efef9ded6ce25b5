import type { Handler } from "dray/http";
import { KeyedMutex, KeyedRwLock } from "dray/internal/async";
import { openAccess } from "../access/index.ts";
import { createDeletions } from "../deletion/index.ts";
import { Tree } from "../distribution-tree/index.ts";
import { protocol } from "../endpoints/endpoints.ts";
import { refusedDeletes } from "../endpoints/guard.ts";
import { type Collected, type CollectOptions, createCollector, type Marks } from "../gc/index.ts";
import { Leases } from "../leases/index.ts";
import { createReconciler, openMetadata } from "../metadata/index.ts";
import type { Difference } from "../metadata/types.ts";
import type { Notice, RegistryOptions } from "../options.ts";
import { Lists, Manifests } from "../read-cache/index.ts";
import { createUploads } from "../uploads/index.ts";
import type { RegistryContext, RegistrySettings } from "./context.ts";

/** A registry: a handler of requests, and what its operator does with it. */
export interface Registry extends Handler {
  readonly context: RegistryContext;
  /** Begins the background work: reconciling the metadata with the tree. Until then, and without it, each repository is looked at when it is asked for. */
  start(): void;
  /** Removes what nothing uses any more. */
  collect(options?: CollectOptions): Promise<Collected>;
  /** What distribution's `garbage-collect --dry-run` tells of the same tree. */
  marks(options?: { signal?: AbortSignal }): Promise<Marks>;
  /** What differs between index and tree. */
  check(options?: { signal?: AbortSignal }): AsyncIterable<Difference>;
  /** Forgets the metadata and makes it again from the tree. */
  rebuild(): Promise<void>;
  setReadOnly(on: boolean): void;
  /** Parks uploads and lets go of everything; the driver too. */
  close(): Promise<void>;
}

const hours = 3_600_000;

/**
 * A registry over a driver, as a `Handler`: served by `listen`, or plugged in where a client has its connection.
 * @example
 * const registry = createRegistry({ driver: memoryDriver() });
 * const server = await listen(registry, { port: 5000 });
 * @see https://github.com/opencontainers/distribution-spec/blob/main/spec.md
 */
export const createRegistry = (options: RegistryOptions): Registry => {
  const { driver, now = Date.now, onNotice = () => {}, access = openAccess() } = options;
  const settings = settingsOf(options);
  const tree = new Tree(driver);
  const memory = options.memory ?? 64 * 1024 * 1024;
  const recheckAfter = options.recheckAfter ?? 2000;
  const lease = options.gc?.lease ?? hours;
  const notice = (said: Notice): void => onNotice(said);
  const metadata = openMetadata(options.index ?? ":memory:", { onNotice: notice });
  const manifests = new Manifests({
    tree,
    memory: memory / 2,
    recheckAfter,
    now,
    onNotice: notice,
    ...(options.counts === undefined ? {} : { counts: options.counts }),
    ...(options.largestServed === undefined ? {} : { largest: options.largestServed }),
  });
  const lists = new Lists(memory / 2);
  const changed = (repository: string): void => lists.changed(repository);
  const reconciler = createReconciler({ tree, metadata, now, recheckAfter, onNotice: notice, onChange: changed });
  const uploads = createUploads({
    driver,
    now,
    lease,
    silence: options.uploads?.silence ?? 5000,
    onNotice: notice,
  });
  const locks = new KeyedRwLock();
  const tagLocks = new KeyedMutex();
  const leases = new Leases({ length: lease, now, uploading: (repository) => uploads.isOpenIn(repository) });
  const forget = (repository: string, name: string): void => {
    manifests.forget(repository, name);
    lists.changed(repository);
  };
  const guard = () => refusedDeletes({ settings });
  const deletions = createDeletions({ tree, metadata, reconciler, locks, tagLocks, guard, forget });
  const collector = createCollector({
    tree,
    metadata,
    reconciler,
    locks,
    leases,
    uploads,
    settings: {
      grace: options.gc?.grace ?? 24 * hours,
      lease,
      uploads: options.uploads?.age ?? 7 * 24 * hours,
      ...(options.gc?.untagged === undefined ? {} : { untagged: options.gc.untagged }),
    },
    now,
    forget,
    onNotice: notice,
  });
  const context: RegistryContext = {
    tree,
    metadata,
    reconciler,
    manifests,
    lists,
    uploads,
    deletions,
    locks,
    tagLocks,
    leases,
    settings,
    now,
    onNotice: notice,
  };
  return Object.assign(protocol(context, access), {
    context,
    start: () => reconciler.start(),
    collect: (wanted: CollectOptions = {}) => collector.collect(wanted),
    marks: (wanted: { signal?: AbortSignal } = {}) => collector.marks(wanted),
    check: (wanted: { signal?: AbortSignal } = {}) => reconciler.check(wanted),
    rebuild: async () => {
      manifests.clear();
      await reconciler.rebuild();
    },
    setReadOnly: (on: boolean) => {
      settings.readOnly = on;
    },
    close: async () => {
      await uploads.close();
      await reconciler.close();
      metadata.close();
      await access.close?.();
      await driver.close();
    },
  });
};

const settingsOf = (options: RegistryOptions): RegistrySettings => ({
  deletes: options.deletes ?? true,
  readOnly: options.readOnly ?? false,
  largestManifest: options.largestManifest ?? 4 * 1024 * 1024,
  refuseSparse: options.refuseSparse ?? false,
  pages: { tags: 1000, catalog: 1000, referrers: 1000, ...options.pages },
  locations: { prefix: "", relative: true, ...options.locations },
  freeSpace: options.freeSpace ?? 0,
});
