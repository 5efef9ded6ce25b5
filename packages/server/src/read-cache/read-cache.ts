import type { Held, Share } from "@dray/service/memory";
import { memoryBody, type ServedBody } from "@dray/service/response";
import type { HeaderPairs } from "dray/http";
import { LruCache, SingleFlight } from "dray/internal/async";
import { type Digest, isDigest, largestManifest, mediaTypes } from "dray/oci";
import { readLegacyManifest, readManifest, shownType, type Tree } from "../distribution-tree/index.ts";
import { prettySigned } from "../libtrust.ts";
import type { Notice } from "../notice.ts";
import { type FileVersion, type StoredFile, sameVersion } from "../storage/index.ts";

/** A manifest with what an answer needs. Nobody changes its bytes, which have its digest; those of schema 1 have it without their signatures. */
export interface ServedManifest {
  readonly digest: Digest;
  readonly mediaType: string;
  /** Missing where it is large: then the file is sent, by `open`. */
  readonly body: ServedBody | undefined;
  readonly size: number;
  /** Of an answer to GET or HEAD. */
  readonly headers: HeaderPairs;
}

interface Found<T> {
  readonly value: T;
  readonly version: FileVersion;
}

interface Remembered<T> extends Found<T> {
  /** When the tree last agreed, by what goes on evenly. */
  readonly checked: number;
  /** How many changes of its repository were known then. */
  readonly changes: number;
}

/** What is remembered of one kind, and what is just being read of it. */
interface Shelf<T> {
  readonly memory: LruCache<string, Remembered<T>>;
  readonly reading: SingleFlight<T | undefined>;
}

const shelf = <T>(memory: number): Shelf<T> => ({ memory: new LruCache(memory), reading: new SingleFlight() });

export interface ManifestsOptions {
  readonly tree: Tree;
  /** How many changes of each repository are known: what is remembered from before the last one is not used. */
  readonly changes: ReadonlyMap<string, number>;
  /** Bytes of memory. */
  readonly memory: number;
  /** Holds large ones while they are there whole, to see that they are what their digests say. */
  readonly whole: Share;
  /** Milliseconds after which something remembered is compared with the tree again. */
  readonly recheckAfter: number;
  readonly now: () => number;
  /** Milliseconds that go on evenly. Default: `now`. */
  readonly elapsed?: () => number;
  readonly onNotice: (notice: Notice) => void;
  readonly counts?: { requests: number; hits: number };
  /** Bytes of the largest manifest that is served; default 16 MiB. */
  readonly largest?: number;
}

/** From so many bytes on a manifest is not kept, and only what is said of it is. */
const large = 256 * 1024;

/** Bytes that an entry costs beyond its content. */
const overhead = 500;

/**
 * Manifests for reading: from memory where that is fresh, else from the tree. What enters memory has been hashed; what is remembered
 * is compared with its link's time and inode every `recheckAfter`, so that another program's writes are seen.
 */
export class Manifests {
  readonly #options: Required<ManifestsOptions>;
  readonly #tags: Shelf<Digest>;
  readonly #manifests: Shelf<ServedManifest>;

  constructor(options: ManifestsOptions) {
    const { memory } = options;
    this.#options = { counts: { requests: 0, hits: 0 }, largest: largestManifest, elapsed: options.now, ...options };
    this.#tags = shelf(memory / 4);
    this.#manifests = shelf((memory * 3) / 4);
  }

  /** Bytes of memory in use. */
  get bytes(): number {
    return this.#tags.memory.weight + this.#manifests.memory.weight;
  }

  /** A manifest by tag or digest; at once where it is remembered. */
  find(repository: string, name: string): ServedManifest | undefined | Promise<ServedManifest | undefined> {
    if (isDigest(name)) return this.#byDigest(repository, name);
    const tag = this.#fresh(this.#tags, repository, name);
    return tag === undefined ? this.#findTag(repository, name) : this.#byDigest(repository, tag);
  }

  /** The file of a manifest, for its bytes; `undefined` where it is not there any more, or another one. */
  async open(repository: string, { digest, size }: ServedManifest): Promise<StoredFile | undefined> {
    const { tree } = this.#options;
    const target = (await tree.revisionTarget(repository, digest)) ?? (await tree.layer(repository, digest));
    const file = target && (await tree.openBlob(target));
    if (file === undefined || file.size === size) return file;
    await file.close();
    this.#manifests.memory.delete(keyOf(repository, digest));
    return undefined;
  }

  /** Whether a manifest that was found is there still. Waits for no memory: whoever has it may be waiting for the digest that the caller holds. */
  async has(repository: string, { digest }: ServedManifest): Promise<boolean> {
    if (this.#fresh(this.#manifests, repository, digest) !== undefined) return true;
    const { tree } = this.#options;
    const target = (await tree.revisionTarget(repository, digest)) ?? (await tree.layer(repository, digest));
    return target !== undefined && (await tree.blobSize(target)) !== undefined;
  }

  /** What a tag stands for, whether its manifest is there or not. */
  async tag(repository: string, tag: string): Promise<Digest | undefined> {
    return (
      this.#fresh(this.#tags, repository, tag) ??
      this.#load(
        this.#tags,
        repository,
        tag,
        () => this.#options.tree.tagVersion(repository, tag),
        async () => {
          const link = await this.#options.tree.tag(repository, tag);
          return link && { value: link.digest, version: link.version };
        },
        () => overhead,
      )
    );
  }

  clear(): void {
    this.#tags.memory.clear();
    this.#manifests.memory.clear();
  }

  async #findTag(repository: string, tag: string): Promise<ServedManifest | undefined> {
    const digest = await this.tag(repository, tag);
    return digest === undefined ? undefined : this.#byDigest(repository, digest);
  }

  #byDigest(repository: string, digest: Digest): ServedManifest | Promise<ServedManifest | undefined> {
    const remembered = this.#fresh(this.#manifests, repository, digest);
    this.#options.counts.requests++;
    if (remembered !== undefined) this.#options.counts.hits++;
    return (
      remembered ??
      this.#load(
        this.#manifests,
        repository,
        digest,
        () => this.#options.tree.revision(repository, digest),
        () => this.#read(repository, digest),
        ({ body }) => (body?.length ?? 0) + overhead,
      )
    );
  }

  #fresh<T>(shelf: Shelf<T>, repository: string, name: string): T | undefined {
    const entry = this.#remembered(shelf, repository, name);
    return entry !== undefined && this.#options.elapsed() - entry.checked < this.#options.recheckAfter
      ? entry.value
      : undefined;
  }

  /** What was read since the last change of its repository. */
  #remembered<T>({ memory }: Shelf<T>, repository: string, name: string): Remembered<T> | undefined {
    const entry = memory.get(keyOf(repository, name));
    return entry?.changes === (this.#options.changes.get(repository) ?? 0) ? entry : undefined;
  }

  /** Compares what is remembered with the tree, and reads it where that differs. */
  #load<T>(
    shelf: Shelf<T>,
    repository: string,
    name: string,
    look: () => Promise<FileVersion | undefined>,
    read: () => Promise<Found<T> | undefined>,
    sizeOf: (value: T) => number,
  ): Promise<T | undefined> {
    const checked = this.#options.elapsed();
    const changes = this.#options.changes.get(repository) ?? 0;
    const load = async (): Promise<Found<T> | undefined> => {
      const entry = this.#remembered(shelf, repository, name);
      if (entry !== undefined) {
        const version = await look();
        if (version !== undefined && sameVersion(version, entry.version)) return entry;
      }
      return read();
    };
    const { memory, reading } = shelf;
    const key = keyOf(repository, name);
    // Who asks after a change joins nobody who asked before it.
    return reading.run(`${changes}\0${key}`, async () => {
      const found = await load();
      if (found === undefined) memory.delete(key);
      else memory.set(key, { ...found, checked, changes }, sizeOf(found.value));
      return found?.value;
    });
  }

  async #read(repository: string, digest: Digest): Promise<Found<ServedManifest> | undefined> {
    let held: Held | undefined;
    const ready = async (size: number): Promise<void> => {
      if (size >= large) held ??= await this.#options.whole.take(size);
    };
    try {
      return await this.#readWhole(repository, digest, ready);
    } finally {
      held?.free();
    }
  }

  async #readWhole(
    repository: string,
    digest: Digest,
    ready: (size: number) => Promise<void>,
  ): Promise<Found<ServedManifest> | undefined> {
    const { tree, largest } = this.#options;
    const stored =
      (await readManifest(tree, repository, digest, largest, ready)) ??
      (await readLegacyManifest(tree, repository, digest, largest, ready));
    if (stored === undefined) return undefined;
    if (!("bytes" in stored)) {
      const message = "the stored manifest is damaged; push it again, or delete it";
      if (stored.fault === "damaged" || stored.fault === "too large")
        this.#options.onNotice({ level: "error", message, repository, digest });
      return undefined;
    }
    const { version, bytes, pushedType } = stored;
    const mediaType = pushedType ?? (await shownType(bytes));
    // The tree keeps those without signatures. Docker and containerd pull only what is signed, by whomever.
    const signed = mediaType === mediaTypes.dockerSchema1 ? prettySigned(bytes, this.#options.now()) : undefined;
    if (signed !== undefined) return { value: served(digest, mediaTypes.dockerSchema1Signed, signed), version };
    const value = served(digest, mediaType, bytes);
    return { value: value.size < large ? value : { ...value, body: undefined }, version };
  }
}

const keyOf = (repository: string, name: string): string => `${repository}\0${name}`;

const served = (digest: Digest, mediaType: string, bytes: Uint8Array): ServedManifest => {
  const size = bytes.byteLength;
  return { digest, mediaType, body: memoryBody(bytes), size, headers: headersOf(digest, mediaType, size) };
};

const headersOf = (digest: Digest, mediaType: string, size: number): HeaderPairs => [
  ["Content-Type", mediaType],
  ["Content-Length", String(size)],
  ["Docker-Content-Digest", digest],
  ["ETag", `"${digest}"`],
  ["Docker-Distribution-Api-Version", "registry/2.0"],
];

/** Encoded pages of lists, each served as long as nothing in its repository changes. */
export class Lists {
  readonly #pages: LruCache<string, { readonly changes: number; readonly page: ListPage }>;
  readonly #changes: ReadonlyMap<string, number>;

  /**
   * @param memory bytes
   * @param changes how many changes of each repository are known
   */
  constructor(memory: number, changes: ReadonlyMap<string, number>) {
    this.#pages = new LruCache(memory);
    this.#changes = changes;
  }

  get bytes(): number {
    return this.#pages.weight;
  }

  /** Call it when the list is known to be current, and build without waiting: nothing changes in between. */
  page(repository: string, key: string, build: () => ListPage): ListPage {
    const changes = this.#changes.get(repository) ?? 0;
    const name = `${repository}\0${key}`;
    const kept = this.#pages.get(name);
    if (kept?.changes === changes) return kept.page;
    const page = build();
    // A client chooses how long the key is.
    this.#pages.set(name, { changes, page }, page.bytes.byteLength + 2 * name.length + 300);
    return page;
  }
}

export interface ListPage {
  readonly bytes: Uint8Array;
  /** Where the next page begins, if there is one. */
  readonly next: string | undefined;
}
