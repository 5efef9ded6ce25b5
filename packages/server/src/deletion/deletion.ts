import type { KeyedRwLock } from "dray/internal/async";
import type { Digest } from "dray/oci";
import { type DeletionContext, unlinkLayer, unlinkManifest, unlinkTag } from "./unlink.ts";

export interface DeletionsOptions extends DeletionContext {
  readonly locks: KeyedRwLock;
  /** By `repository\0tag`. Taken after the locks of digests. */
  readonly tagLocks: KeyedRwLock;
  /** Why nothing may be deleted at the moment. */
  readonly guard: () => Error | undefined;
}

/**
 * The one way by which clients delete anything, so that no name and no method gets past the guard (CVE-2026-41888), and nothing
 * deleted is answered from memory afterwards (CVE-2026-35172). Each asks the guard first, and rejects with what that says. Tags go
 * before the manifest, and links before all that is derived.
 */
export class Deletions {
  readonly #options: DeletionsOptions;

  constructor(options: DeletionsOptions) {
    this.#options = options;
  }

  /**
   * A manifest with the tags that stand for it. `false`: it is not there.
   * @param check throws if what is there now is not what the client means; nobody changes it in between
   */
  async manifest(repository: string, digest: Digest, check: Check = () => {}): Promise<boolean> {
    const { tree, metadata, reconciler, locks } = this.#options;
    this.#refuse();
    // Looked at before anybody is kept waiting: this may read the whole repository.
    if (!(await reconciler.reconcile(repository))) {
      check(undefined);
      return false;
    }
    return locks.hold({ exclusive: [digest] }, async () => {
      this.#refuse();
      const isThere = (await tree.revision(repository, digest)) !== undefined;
      check(isThere ? digest : undefined);
      if (!isThere) return false;
      await reconciler.reconcile(repository);
      for (const tag of metadata.tagsOf(repository, digest)) await this.#untag(repository, tag, digest);
      await unlinkManifest(this.#options, repository, digest);
      return true;
    });
  }

  /** A tag; its manifest stays. `false`: it is not there. */
  async tag(repository: string, tag: string, check: Check = () => {}): Promise<boolean> {
    const { tree, tagLocks } = this.#options;
    this.#refuse();
    return tagLocks.hold({ exclusive: [`${repository}\0${tag}`] }, async () => {
      this.#refuse();
      check((await tree.tag(repository, tag))?.digest);
      // A link that is damaged can be deleted as well.
      if ((await tree.tagVersion(repository, tag)) === undefined) return false;
      await unlinkTag(this.#options, repository, tag);
      return true;
    });
  }

  /** A blob's membership in the repository. `false`: it has none. */
  async blob(repository: string, digest: Digest): Promise<boolean> {
    const { tree, locks } = this.#options;
    this.#refuse();
    return locks.hold({ exclusive: [digest] }, async () => {
      this.#refuse();
      if ((await tree.layerTime(repository, digest)) === undefined) return false;
      await unlinkLayer(this.#options, repository, digest);
      return true;
    });
  }

  #refuse(): void {
    const why = this.#options.guard();
    if (why !== undefined) throw why;
  }

  /** Between the metadata and here the tag may have gone elsewhere: then it is not ours to take. */
  #untag(repository: string, tag: string, digest: Digest): Promise<void> {
    const { tree, tagLocks } = this.#options;
    return tagLocks.hold({ exclusive: [`${repository}\0${tag}`] }, async () => {
      if ((await tree.tag(repository, tag))?.digest === digest) await unlinkTag(this.#options, repository, tag);
    });
  }
}

type Check = (current: Digest | undefined) => void;
