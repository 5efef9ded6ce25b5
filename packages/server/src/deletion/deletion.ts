import { forEachConcurrent, type KeyedRwLock, sortedInTurns, Yielding } from "dray/internal/async";
import { type Digest, isTag, largestManifest } from "dray/oci";
import { readLegacyManifest } from "../distribution-tree/index.ts";
import { sameVersion } from "../storage/index.ts";
import { referencesOf, renewAll } from "./renew.ts";
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
 * before the manifest, and links before all that is derived. Before anything goes, the times of all that hung on it are renewed, so that
 * garbage collection leaves it alone for its grace and the deletion can be undone.
 */
export class Deletions {
  readonly #options: DeletionsOptions;

  constructor(options: DeletionsOptions) {
    this.#options = options;
  }

  /**
   * A manifest with the tags that stand for it, which it tells. `undefined`: it is not there.
   * @param check throws if what is there now is not what the client means; nobody changes it in between
   */
  async manifest(
    repository: string,
    digest: Digest,
    check: Check = () => {},
  ): Promise<{ readonly tags: readonly string[] } | undefined> {
    const { tree, metadata, reconciler, locks } = this.#options;
    this.#refuse();
    // Looked at before anybody is kept waiting: this may read the whole repository.
    if (!(await reconciler.reconcile(repository))) {
      check(undefined);
      return undefined;
    }
    // Nobody takes away what is being renewed.
    const shared = await referencesOf(this.#options, repository, digest);
    return locks.hold({ shared, exclusive: [digest] }, async () => {
      this.#refuse();
      const isRevision = (await tree.revision(repository, digest)) !== undefined;
      const isLegacy = (await readLegacyManifest(tree, repository, digest, largestManifest)) !== undefined;
      const isThere = isRevision || isLegacy;
      check(isThere ? digest : undefined);
      if (!isThere) return undefined;
      await reconciler.reconcile(repository);
      await renewAll(this.#options, repository, digest);
      const tags: string[] = [];
      for (const tag of await this.#tagsOf(repository, digest))
        if (await this.#untag(repository, tag, digest)) tags.push(tag);
      await unlinkManifest(this.#options, repository, digest);
      // It would go on being served from there; to an index that has it as a blob it is one.
      if (isLegacy && !metadata.refersTo(repository, digest)) await unlinkLayer(this.#options, repository, digest);
      return { tags };
    });
  }

  /** A tag; its manifest stays. `false`: it is not there. */
  async tag(repository: string, tag: string, check: Check = () => {}): Promise<boolean> {
    const { tree, tagLocks } = this.#options;
    this.#refuse();
    return tagLocks.hold({ exclusive: [`${repository}\0${tag}`] }, async () => {
      this.#refuse();
      const digest = (await tree.tag(repository, tag))?.digest;
      check(digest);
      // A link that is damaged can be deleted as well.
      if ((await tree.tagVersion(repository, tag)) === undefined) return false;
      // From now on it may be a manifest without a tag, for which retention counts.
      if (digest !== undefined) await tree.renewRevision(repository, digest).catch(() => {});
      await unlinkTag(this.#options, repository, tag, digest);
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
      await tree.renewLayer(repository, digest).catch(() => {});
      await unlinkLayer(this.#options, repository, digest);
      return true;
    });
  }

  #refuse(): void {
    const why = this.#options.guard();
    if (why !== undefined) throw why;
  }

  /**
   * Tags that stand for a digest by their own links: another program may have moved one, which changes nothing that the index is
   * compared with.
   */
  async #tagsOf(repository: string, digest: Digest): Promise<string[]> {
    const { tree, metadata } = this.#options;
    const tags: string[] = [];
    await forEachConcurrent(await tree.tagFolders(repository), looksAtOnce, async (name) => {
      const version = isTag(name) ? await tree.tagVersion(repository, name) : undefined;
      if (version === undefined) return;
      const known = metadata.tag(repository, name);
      const current = sameVersion(known?.version, version) ? known?.digest : (await tree.tag(repository, name))?.digest;
      if (current === digest) tags.push(name);
    });
    return sortedInTurns(tags, new Yielding());
  }

  /** Between the look and here the tag may have gone elsewhere: then it is not ours to take. Tells whether it was. */
  #untag(repository: string, tag: string, digest: Digest): Promise<boolean> {
    const { tree, tagLocks } = this.#options;
    return tagLocks.hold({ exclusive: [`${repository}\0${tag}`] }, async () => {
      if ((await tree.tag(repository, tag))?.digest !== digest) return false;
      await unlinkTag(this.#options, repository, tag, digest);
      return true;
    });
  }
}

/** Links of tags looked at side by side. */
const looksAtOnce = 16;

type Check = (current: Digest | undefined) => void;
