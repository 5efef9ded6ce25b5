import { isDrayError } from "dray/errors";
import { LruCache, Semaphore, SingleFlight, Yielding } from "dray/internal/async";
import { algorithmOf, type Digest, digestOf, hexOf } from "dray/oci";
import { blobPath, type Tree } from "../distribution-tree/index.ts";
import type { Metadata, Reconciler } from "../metadata/index.ts";
import type { Notice } from "../notice.ts";
import type { Driver, Facts, StoredFile } from "../storage/index.ts";
import { DamageMarks } from "./damage-marks.ts";
import { hashFile } from "./hash-file.ts";

export interface BlobsOptions {
  readonly tree: Tree;
  readonly driver: Driver;
  readonly metadata: Metadata;
  readonly reconciler: Reconciler;
  readonly onNotice: (notice: Notice) => void;
}

/** A blob that a repository has. */
export interface FoundBlob {
  /** Where its bytes lie: under its own name, or under that of which distribution made it an alias. */
  readonly target: Digest;
  readonly size: number;
}

/** Where damaged data lies that was put aside, by algorithm and digest: nothing takes it from there but the operator. */
export const quarantine = "dray/quarantine";

/** Blobs of which it is remembered that their size is right, and files of which it is remembered that they are whole. */
const remembered = 20_000;
/** Files that are hashed at once because something speaks against them. */
const atOnce = 2;

/**
 * The blobs of repositories as they are served: link and data are there, and nothing speaks against the data. Against it speaks a mark
 * that verification left, that it is empty, or that it has another size than the manifests of the repository say. Then it is hashed,
 * for a manifest may be wrong as well: what has another digest than its name is marked, and is not there until a push replaces it.
 */
export class Blobs {
  readonly #options: BlobsOptions;
  readonly #marks: DamageMarks;
  /** By repository and digest: the size that nothing spoke against. */
  readonly #sizes = new Map<string, number>();
  /** Files that were hashed and are what their names say. */
  readonly #whole = new LruCache<Digest, Pick<Facts, "size" | "ino">>(remembered);
  readonly #judging = new SingleFlight<boolean>();
  readonly #hashing = new Semaphore(atOnce);

  constructor(options: BlobsOptions) {
    this.#options = options;
    this.#marks = new DamageMarks(options.driver, options.onNotice);
  }

  /** Blobs that are known to be damaged, as far as anybody looked. What was removed since then, by whomever, is missing and no more. */
  async damaged(): Promise<number> {
    await this.#marks.load();
    for (const digest of this.#marks.damaged)
      if ((await this.#options.tree.blobFacts(digest)) === undefined) await this.missed(digest);
    return this.#marks.damaged.length;
  }

  /** Data that is not there: remembered where a manifest needs it, so that whoever pushes that brings the data. */
  async missed(digest: Digest): Promise<void> {
    await this.#marks.load();
    const { metadata, reconciler } = this.#options;
    if (reconciler.isComplete && !metadata.isUsed(digest)) await this.#marks.remove(digest);
    else await this.#marks.miss(digest);
  }

  /** Its data was hashed just now and is whole. */
  async sound(digest: Digest): Promise<void> {
    await this.#marks.load();
    await this.#marks.remove(digest);
  }

  /** Whether any of these is known to be damaged or missing: a look into memory, unless something is known of any blob at all. */
  async lacksAny(repository: string, digests: () => Promise<Iterable<Digest>>): Promise<boolean> {
    const { size } = this.#marks.known ?? (await this.#marks.load());
    if (size === 0) return false;
    for (const digest of await digests()) if (await this.#lacks(repository, digest)) return true;
    return false;
  }

  /** What came back by another way than a push is looked at. */
  async #lacks(repository: string, digest: Digest): Promise<boolean> {
    const target = (await this.#options.tree.layer(repository, digest)) ?? digest;
    if (this.#marks.known?.has(target) !== true) return false;
    return !(await this.#judging.run(target, () => this.#judge(target, repository)));
  }

  /** @param said bytes that it should have, where somebody says so who is not known yet */
  async find(repository: string, digest: Digest, said?: number): Promise<FoundBlob | undefined> {
    const { tree } = this.#options;
    const target = await tree.layer(repository, digest);
    const size = target && (await tree.blobSize(target));
    if (target === undefined || size === undefined) return undefined;
    return (await this.#isSound({ repository, digest, target, size, said })) ? { target, size } : undefined;
  }

  /** A blob to be read. Close it. */
  async open(repository: string, digest: Digest): Promise<StoredFile | undefined> {
    const { tree } = this.#options;
    const target = await tree.layer(repository, digest);
    const file = target && (await tree.openBlob(target));
    if (target === undefined || file === undefined) return undefined;
    try {
      if (await this.#isSound({ repository, digest, target, size: file.size })) return file;
    } catch (error) {
      await file.close();
      throw error;
    }
    await file.close();
    return undefined;
  }

  /**
   * Data was brought by a push, hashed: whatever spoke against what lay there before is over, and nobody need be asked for its size. The
   * caller holds its digest.
   */
  async replaced(repository: string, digest: Digest, size: number): Promise<void> {
    this.#remember(repository, digest, size);
    if (this.#marks.known?.has(digest) === true) await this.#marks.remove(digest);
  }

  /**
   * Remembers data that was hashed and is not what its name says.
   * @param file what was hashed; where another one lies there by now nothing is said of it
   */
  async condemn(digest: Digest, file: Facts): Promise<void> {
    await this.#marks.load();
    if (this.#isMarked(digest, file)) return;
    this.#whole.delete(digest);
    await this.#marks.set(digest, file);
  }

  /** Puts damaged data aside, where an operator may look at it and nobody serves it. The caller holds its digest exclusively. */
  async putAside(digest: Digest): Promise<string> {
    const aside = `${quarantine}/${algorithmOf(digest)}/${hexOf(digest)}`;
    await this.#options.driver.move(blobPath(digest), aside);
    this.#whole.delete(digest);
    await this.missed(digest);
    return aside;
  }

  #isMarked(digest: Digest, { size, mtime, ino }: Facts): boolean {
    const mark = this.#marks.known?.get(digest);
    return mark !== undefined && mark.size === size && mark.mtime === mtime && mark.ino === ino;
  }

  async #isSound(blob: FoundBlob & Asked): Promise<boolean> {
    const { repository, target, size } = blob;
    const marks = this.#marks.known ?? (await this.#marks.load());
    if (
      !marks.has(target) &&
      (size > 0 || target === digestOf(new Uint8Array(0), algorithmOf(target))) &&
      this.#isPlausible(blob)
    )
      return true;
    return this.#judging.run(target, () => this.#judge(target, repository));
  }

  /** Whether it has the size that all say. Until the repository is known nothing is said, and nothing is remembered. */
  #isPlausible({ repository, digest, size, said = size }: FoundBlob & Asked): boolean {
    if (said !== size) return false;
    if (this.#sizes.get(`${repository}\0${digest}`) === size) return true;
    const { reconciler } = this.#options;
    const sizes = this.#sizesOf(repository, digest);
    if (sizes.length > 0 && !sizes.includes(size)) return false;
    if (reconciler.repositories.isReconciled(repository)) this.#remember(repository, digest, size);
    return true;
  }

  /** What is forgotten costs a question to the index. */
  #remember(repository: string, digest: Digest, size: number): void {
    if (this.#sizes.size >= remembered) this.#sizes.clear();
    this.#sizes.set(`${repository}\0${digest}`, size);
  }

  /** An index that fails says nothing, and tells of it itself: what lies in the tree is served all the same. */
  #sizesOf(repository: string, digest: Digest): readonly number[] {
    try {
      return this.#options.metadata.sizesOf(repository, digest);
    } catch (error) {
      if (isDrayError(error, "DISK")) return [];
      throw error;
    }
  }

  /** Looks at the bytes themselves, once for each file. */
  #judge(digest: Digest, repository: string): Promise<boolean> {
    const { tree } = this.#options;
    return this.#hashing.run(undefined, async () => {
      const facts = await tree.blobFacts(digest);
      if (facts === undefined) return false;
      if (this.#isMarked(digest, facts)) return false;
      const { size, ino } = facts;
      const known = this.#whole.get(digest);
      if (known?.size === size && known.ino === ino) return true;
      const file = await tree.openBlob(digest);
      if (file === undefined) return false;
      const actual = await hashFile(file, algorithmOf(digest), new Yielding());
      if (actual !== digest) {
        await this.condemn(digest, facts);
        const message = `a blob is damaged: its ${size} bytes have the digest ${actual}; it is answered with 404 until it is pushed again`;
        this.#options.onNotice({ level: "error", message, repository, digest });
        return false;
      }
      this.#whole.set(digest, { size, ino });
      await this.#marks.remove(digest);
      return true;
    });
  }
}

interface Asked {
  readonly repository: string;
  readonly digest: Digest;
  readonly said?: number | undefined;
}
