import type { KeyedMutex, KeyedRwLock } from "dray/internal/async";
import type { Digest } from "dray/oci";
import { type DeletionContext, unlinkLayer, unlinkManifest, unlinkTag } from "./unlink.ts";

export interface DeletionsOptions extends DeletionContext {
  readonly locks: KeyedRwLock;
  /** By `repository\0tag`. Taken after the locks of digests. */
  readonly tagLocks: KeyedMutex;
  /** Why nothing may be deleted at the moment. */
  readonly guard: () => Error | undefined;
}

/** Deleting, as a client asks for it. Each asks the guard first, and rejects with what that says. */
export interface Deletions {
  /**
   * A manifest with the tags that stand for it. `false`: it is not there.
   * @param check throws if what is there now is not what the client means; nobody changes it in between
   */
  manifest(repository: string, digest: Digest, check?: (current: Digest | undefined) => void): Promise<boolean>;
  /** A tag; its manifest stays. `false`: it is not there. */
  tag(repository: string, tag: string, check?: (current: Digest | undefined) => void): Promise<boolean>;
  /** A blob's membership in the repository. `false`: it has none. */
  blob(repository: string, digest: Digest): Promise<boolean>;
}

/**
 * The one way by which clients delete anything, so that no name and no method gets past the guard (CVE-2026-41888), and nothing
 * deleted is answered from memory afterwards (CVE-2026-35172). Tags go before the manifest, and links before all that is derived.
 */
export const createDeletions = (options: DeletionsOptions): Deletions => {
  const { tree, metadata, reconciler, locks, tagLocks, guard } = options;
  const refuse = (): void => {
    const why = guard();
    if (why !== undefined) throw why;
  };

  /** Between the metadata and here the tag may have gone elsewhere: then it is not ours to take. */
  const untag = (repository: string, tag: string, digest: Digest): Promise<void> =>
    tagLocks.run(`${repository}\0${tag}`, async () => {
      if ((await tree.tag(repository, tag))?.digest === digest) await unlinkTag(options, repository, tag);
    });

  return {
    manifest: async (repository, digest, check = () => {}) => {
      refuse();
      // Looked at before anybody is kept waiting: this may read the whole repository.
      if (!(await reconciler.reconcile(repository))) {
        check(undefined);
        return false;
      }
      return locks.hold({ exclusive: [digest] }, async () => {
        refuse();
        const isThere = (await tree.revision(repository, digest)) !== undefined;
        check(isThere ? digest : undefined);
        if (!isThere) return false;
        await reconciler.reconcile(repository);
        for (const tag of metadata.tagsOf(repository, digest)) await untag(repository, tag, digest);
        await unlinkManifest(options, repository, digest);
        return true;
      });
    },
    tag: async (repository, tag, check = () => {}) => {
      refuse();
      return tagLocks.run(`${repository}\0${tag}`, async () => {
        refuse();
        check((await tree.tag(repository, tag))?.digest);
        // A link that is damaged can be deleted as well.
        if ((await tree.tagVersion(repository, tag)) === undefined) return false;
        await unlinkTag(options, repository, tag);
        return true;
      });
    },
    blob: async (repository, digest) => {
      refuse();
      return locks.hold({ exclusive: [digest] }, async () => {
        refuse();
        if ((await tree.layerTime(repository, digest)) === undefined) return false;
        await unlinkLayer(options, repository, digest);
        return true;
      });
    },
  };
};
