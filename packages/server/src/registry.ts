import { DrayError } from "dray/errors";
import type { Handler } from "dray/http";
import { isRepository } from "dray/oci";
import { openAccess } from "./access/index.ts";
import { createContext, type RegistryContext, retentionOf } from "./context.ts";
import { type Restored, type RestoreOptions, restore } from "./deletion/index.ts";
import { distributionApi } from "./endpoints/index.ts";
import type { Collected, CollectOptions, Marks } from "./gc/index.ts";
import type { Difference } from "./metadata/index.ts";
import type { RegistryOptions } from "./options.ts";
import type { Verified, VerifyOptions } from "./verify/index.ts";

/** A registry: a handler of requests, and what its operator does with it. */
export interface Registry extends Handler {
  readonly context: RegistryContext;
  /** Begins the background work: reconciling the metadata with the tree. Until then, and without it, each repository is looked at when it is asked for. */
  start(): void;
  /** Removes what nothing uses any more. */
  collect(options?: CollectOptions): Promise<Collected>;
  /** Whether tags, manifests, links and data are whole. Removes nothing. */
  verify(options?: VerifyOptions): Promise<Verified>;
  /** What distribution's `garbage-collect --dry-run` tells of the same tree. */
  marks(options?: { signal?: AbortSignal }): Promise<Marks>;
  /** Undoes the deletion of a manifest, blob or tag, as long as the data is there. */
  restore(repository: string, name: string, options?: RestoreOptions): Promise<Restored>;
  /** What differs between metadata and tree. */
  check(options?: { signal?: AbortSignal }): AsyncIterable<Difference>;
  /** Forgets the metadata and makes it again from the tree. */
  rebuild(): Promise<void>;
  setReadOnly(on: boolean): void;
  /** What garbage collection keeps from now on, scheduled or asked for; what is not said goes back to its default. */
  setRetention(gc: Pick<NonNullable<RegistryOptions["gc"]>, "grace" | "untagged">): void;
  /** Parks uploads and lets go of everything; the driver too. */
  close(): Promise<void>;
}

/**
 * A registry over a driver, as a `Handler`: served by `listen`, or plugged in where a client has its connection.
 * @example
 * const registry = createRegistry({ driver: memoryDriver() });
 * const server = await listen(registry, { port: 5000 });
 * @see https://github.com/opencontainers/distribution-spec/blob/main/spec.md
 */
export const createRegistry = (options: RegistryOptions): Registry => {
  const { driver, access = openAccess() } = options;
  const context = createContext(options);
  const { collector, manifests, reconciler, settings, verifier } = context;
  return Object.assign(distributionApi(context, access), {
    context,
    start: () => reconciler.start(),
    collect: (wanted: CollectOptions = {}) => collector.collect(wanted),
    verify: async (wanted: VerifyOptions = {}) => {
      if (wanted.quarantine === true && settings.readOnly)
        throw new DrayError("DENIED", "the registry is read-only; nothing is put aside meanwhile");
      return verifier.run(wanted);
    },
    marks: (wanted: { signal?: AbortSignal } = {}) => collector.marks(wanted),
    restore: async (repository: string, name: string, wanted: RestoreOptions = {}) => {
      if (settings.readOnly) throw new DrayError("DENIED", "the registry is read-only; nothing is restored meanwhile");
      if (!isRepository(repository)) throw new DrayError("USAGE", `no repository can be called ${repository}`);
      await context.tree.refuseGone();
      return restore(context, repository, name, wanted);
    },
    check: (wanted: { signal?: AbortSignal } = {}) => reconciler.check(wanted),
    rebuild: async () => {
      manifests.clear();
      await reconciler.rebuild();
    },
    setReadOnly: (on: boolean) => {
      settings.readOnly = on;
    },
    setRetention: (gc: Pick<NonNullable<RegistryOptions["gc"]>, "grace" | "untagged">) =>
      collector.retain(retentionOf(gc)),
    close: async () => {
      await context.close();
      await access.close?.();
      await driver.close();
    },
  });
};
