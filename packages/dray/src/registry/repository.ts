import { KeyedMutex, LruCache } from "../async/index.ts";
import {
  type Cancel,
  type ChecksDigests,
  type Content,
  collect,
  type Describes,
  digestMismatch,
  type HasReferrers,
  type HasTags,
  type Ingests,
  isManifest,
  type KeepsReferenced,
  type LooksUp,
  type MountsFrom,
  type OfKind,
  type ReadOptions,
  type Removes,
  type Store,
  sizeMismatch,
  type TransfersChunks,
  type WriteOptions,
  type WritesNamed,
} from "../content/index.ts";
import { algorithmOf, type Descriptor, type Digest, isDigest, largestManifest } from "../oci/index.ts";
import type { Api, Repo } from "./api.ts";
import { readBlob } from "./blob-read.ts";
import { describeBlob, hasBlob } from "./blobs.ts";
import { type IngestOptions, ingestContent } from "./ingest.ts";
import {
  getManifest,
  hasManifest,
  lookUpManifest,
  type ReadManifest,
  readManifest,
  resolveManifest,
} from "./manifests.ts";
import { pushManifest } from "./push.ts";
import { listReferrers, type ReferrersOptions } from "./referrers.ts";
import { remove, removeBlob } from "./remove.ts";
import { digestOfManifest } from "./schema1.ts";
import { listTags, type TagsOptions } from "./tags.ts";
import { uploadBlob } from "./upload.ts";
import { mountBlob, type TriedMount } from "./upload-session.ts";

/** A repository of a registry: a store whose names are tags. */
export interface Repository
  extends Store,
    ChecksDigests,
    TransfersChunks,
    KeepsReferenced,
    MountsFrom,
    HasReferrers,
    HasTags,
    Removes,
    Ingests,
    WritesNamed,
    LooksUp,
    Describes {
  /** The registry as references name it: `docker.io`. */
  readonly registry: string;
  /** The path on it: `library/alpine`. */
  readonly name: string;
  /**
   * Reads a manifest by tag or digest, in one request. The bytes are hashed and as the registry has them.
   * @throws DrayError `NOT_FOUND`, `DIGEST_MISMATCH`, `LIMIT_EXCEEDED`
   */
  manifest(name: string, options?: Cancel): Promise<ReadManifest>;
  /** The bytes of a blob, as `read`, whatever its media type; by digest alone its size is asked for first. */
  blob(content: Descriptor | Digest, options?: ReadOptions): AsyncIterable<Uint8Array>;
  /** Puts a blob there, as `write`, whatever its media type. */
  upload(descriptor: Descriptor, content: Content, options?: WriteOptions): Promise<void>;
  /** Tags, page after page as they are asked for, in the registry's order. */
  tags(options?: TagsOptions): AsyncIterable<string>;
  /**
   * Deletes a tag, or by digest a manifest with all of its tags; never a blob.
   * @throws DrayError `NOT_FOUND`, `UNSUPPORTED`
   */
  remove(name: string, options?: Cancel): Promise<void>;
  /**
   * Deletes a blob, whatever refers to it here: manifests that do can be pulled no more.
   * @throws DrayError `NOT_FOUND`, `UNSUPPORTED`
   */
  removeBlob(digest: Digest, options?: Cancel): Promise<void>;
}

/** Bytes of manifests that are kept at most. A manifest has some kilobytes; a larger one than this is read again. */
const kept = 4 * 1024 * 1024;

/** The store behind one repository. */
export const createRepository = (api: Api, name: string): Repository =>
  new RegistryRepository({
    api,
    name,
    manifests: new LruCache(kept, { largest: kept }),
    features: {},
    turns: new KeyedMutex(),
  });

class RegistryRepository implements Repository {
  readonly checksDigests = true;
  // oxlint-disable-next-line typescript/unbound-method -- it is compared, never called
  readonly transfersChunks = this.read;
  readonly keepsReferenced = true;
  readonly #repo: Repo;
  /** Of mounts that came to nothing, for the uploads that follow. */
  readonly #tried = new Map<Digest, TriedMount>();

  constructor(repo: Repo) {
    this.#repo = repo;
  }

  get registry(): string {
    return this.#repo.api.registry;
  }

  get name(): string {
    return this.#repo.name;
  }

  resolve(name: string, options?: Cancel): Promise<Descriptor> {
    return resolveManifest(this.#repo, name, options);
  }

  lookUp(name: string, options?: Cancel): Promise<Descriptor | undefined> {
    return lookUpManifest(this.#repo, name, options);
  }

  manifest(name: string, options?: Cancel): Promise<ReadManifest> {
    return getManifest(this.#repo, name, options);
  }

  read(descriptor: Descriptor, options: ReadOptions = {}): AsyncIterable<Uint8Array> {
    if (isManifest(descriptor, options)) return readManifest(this.#repo, descriptor, options);
    return readBlob(this.#repo, descriptor, options);
  }

  blob(content: Descriptor | Digest, options?: ReadOptions): AsyncIterable<Uint8Array> {
    if (typeof content !== "string") return this.read(content, { ...options, kind: "blob" });
    return this.#blobByDigest(content, options);
  }

  async *#blobByDigest(digest: Digest, options?: ReadOptions): AsyncGenerator<Uint8Array> {
    yield* readBlob(this.#repo, await this.describe(digest, options), options);
  }

  describe(digest: Digest, options?: Cancel): Promise<Descriptor> {
    return describeBlob(this.#repo, digest, options);
  }

  has(descriptor: Descriptor, options?: Cancel & OfKind): Promise<boolean> {
    return (isManifest(descriptor, options) ? hasManifest : hasBlob)(this.#repo, descriptor, options);
  }

  async write(descriptor: Descriptor, content: Content, options: WriteOptions = {}): Promise<void> {
    if (!isManifest(descriptor, options)) return this.upload(descriptor, content, options);
    await this.#push(descriptor, content, descriptor.digest, options);
  }

  writeNamed(descriptor: Descriptor, content: Content, name: string, options: WriteOptions = {}): Promise<void> {
    return this.#push(descriptor, content, name, options);
  }

  async upload(descriptor: Descriptor, content: Content, options: WriteOptions = {}): Promise<void> {
    const tried = this.#tried.get(descriptor.digest);
    this.#tried.delete(descriptor.digest);
    await uploadBlob(this.#repo, descriptor, content, options, tried);
  }

  ingest(content: Content, options: IngestOptions): Promise<Descriptor> {
    return ingestContent(this.#repo, content, options);
  }

  async tag(descriptor: Descriptor, name: string, options: Cancel = {}): Promise<void> {
    if (name === descriptor.digest) return;
    const { digest } = descriptor;
    const bytes = this.#repo.manifests.get(digest)?.bytes ?? (await getManifest(this.#repo, digest, options)).bytes;
    await pushManifest(this.#repo, { descriptor, bytes }, name, options);
  }

  async mountFrom(descriptor: Descriptor, source: object, options?: Cancel & OfKind): Promise<boolean> {
    // Not `instanceof`: what only inherits from one has nothing inside.
    if (!(#repo in source) || isManifest(descriptor, options)) return false;
    const { digest } = descriptor;
    const { session, retryBudget } = this.#tried.get(digest) ?? { retryBudget: this.#repo.api.retryBudget() };
    const answer = await mountBlob(this.#repo, descriptor, source.#repo, retryBudget, options);
    if (answer === true) return true;
    this.#tried.set(digest, { retryBudget, session: answer === false ? session : answer });
    return false;
  }

  referrers(subject: Descriptor, options?: ReferrersOptions): AsyncIterable<Descriptor> {
    return listReferrers(this.#repo, subject, options);
  }

  tags(options?: TagsOptions): AsyncIterable<string> {
    return listTags(this.#repo, options);
  }

  remove(name: string, options?: Cancel): Promise<void> {
    return remove(this.#repo, name, options);
  }

  removeBlob(digest: Digest, options?: Cancel): Promise<void> {
    return removeBlob(this.#repo, digest, options);
  }

  /** Everything is in its place already; what was only kept to save requests is let go. */
  async close(): Promise<void> {
    this.#tried.clear();
    this.#repo.manifests.clear();
  }

  async #push(descriptor: Descriptor, content: Content, name: string, options: WriteOptions): Promise<void> {
    const bytes = await collect(content.open(options), largestManifest, `manifest ${descriptor.digest}`);
    if (bytes.byteLength !== descriptor.size) throw sizeMismatch(descriptor, `${bytes.byteLength}`);
    const found = digestOfManifest(bytes, descriptor.mediaType, algorithmOf(descriptor.digest));
    if (found !== descriptor.digest) throw digestMismatch(descriptor, found);
    await pushManifest(this.#repo, { descriptor, bytes }, isDigest(name) ? descriptor.digest : name, options);
  }
}
