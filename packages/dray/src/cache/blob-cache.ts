import { join } from "node:path";
import type { Cancel, Indexes } from "../content/index.ts";
import { reasonOf, throwIfAborted } from "../errors.ts";
import { type FileSystem, ifThere, nodeFiles, onDisk } from "../files/index.ts";
import { refuseNumber } from "../numbers.ts";
import { type Descriptor, type Digest, isDigest } from "../oci/index.ts";
import { type KeptFile, openKept, type Part } from "./kept-file.ts";
import { keptIndexes } from "./kept-indexes.ts";
import { type CachedKind, named, nameOf } from "./names.ts";
import { beginPart, isPartName, type PartFile } from "./part-file.ts";

/** How much is kept, and who hears of what goes wrong. */
export interface BlobCacheOptions {
  /** Bytes that are kept at most. Default 10 GiB. */
  readonly limit?: number | undefined;
  /** Hears why the cache is done without, or that something in it was damaged. Nothing fails for that. */
  readonly onWarning?: ((message: string) => void) | undefined;
  /** The file system. Default: the real one. */
  readonly files?: FileSystem | undefined;
}

/** A blob that is kept, or the index of one. */
export interface CachedBlob {
  /** Of the blob. */
  readonly digest: Digest;
  /** `index`: what was found out about a layer when it was read whole, so that the next who wants a file reads only the parts that it takes. */
  readonly kind: CachedKind;
  /** Bytes. */
  readonly size: number;
  /** When it was put there, or read last. */
  readonly used: Date;
}

/** What goes. */
export interface PruneOptions extends Cancel {
  /** Bytes that stay at most; what was not used for longest goes first. Default: the cache's limit. */
  readonly keep?: number | undefined;
  /** Milliseconds after which a blob that nobody used goes. Default: none does for that. */
  readonly unusedFor?: number | undefined;
  /** Says what would go, and removes nothing. */
  readonly dryRun?: boolean | undefined;
}

/** What went. */
export interface Pruned {
  readonly removed: readonly CachedBlob[];
  /** Bytes of what is left. */
  readonly left: number;
}

const usualLimit = 10 * 1024 ** 3;
/** Milliseconds after which what is unfinished is nobody's any more: whoever writes it renews its time with each chunk. */
const abandoned = 3_600_000;

/**
 * Blobs in a directory, each a file with its digest as its name, that any number of processes share. A blob gets its name when it is whole; one that
 * is read is hashed before, and removed where it is not what its name says, so that a kill, a full disk or another program spoil nothing; where
 * other users can write it is hashed while it is read as well. Beside them lie indexes of layers, of the same bound.
 */
export class BlobCache {
  readonly directory: string;
  readonly limit: number;
  /** What is kept of blobs besides their bytes. */
  readonly indexes: Indexes;
  readonly #files: FileSystem;
  readonly #warn: (message: string) => void;
  #isBroken = false;

  constructor(
    directory: string,
    { limit = usualLimit, onWarning = () => {}, files = nodeFiles }: BlobCacheOptions = {},
  ) {
    refuseNumber("limit", limit, { from: 0 });
    this.directory = directory;
    this.limit = limit;
    this.#files = files;
    this.#warn = onWarning;
    this.indexes = keptIndexes({
      directory,
      limit,
      files,
      begin: () => this.#begin(),
      touch: (path) => this.#touch(path),
      shrink: () => this.#shrink(),
      fails: (error) => this.#doWithout(error),
      mend: (blob, options) => this.#mend(blob, options),
    });
  }

  /**
   * A blob's bytes, checked, unless no more than a part of them is asked for: those that are kept, or where there are none what `elsewhere` gives.
   * @throws DrayError `DISK`, `DIGEST_MISMATCH` where another user wrote into the file, and what `elsewhere` throws
   */
  async *read(
    descriptor: Descriptor,
    part: Part,
    elsewhere: () => AsyncIterable<Uint8Array>,
  ): AsyncGenerator<Uint8Array> {
    const kept = isDigest(descriptor.digest) ? await this.#find(descriptor, part) : undefined;
    if (kept === undefined) {
      yield* elsewhere();
      return;
    }
    try {
      yield* kept.chunks();
    } finally {
      await kept.close();
    }
  }

  /** Passes a blob on while it is kept. Whoever gives the chunks has them checked: they end well only where they are what the descriptor says. */
  async *keep(descriptor: Descriptor, chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    const writing = descriptor.size > this.limit ? undefined : await this.#begin();
    let whole = false;
    try {
      for await (const chunk of chunks) {
        // The chunk may be its reader's alone from the moment that it is passed on.
        await writing?.write(chunk);
        yield chunk;
      }
      whole = true;
    } finally {
      await writing?.end(whole ? this.#pathOf(descriptor.digest) : undefined);
    }
    if (writing !== undefined) await this.#shrink();
  }

  /** What is there, in no order. @throws DrayError `DISK` */
  async list(): Promise<CachedBlob[]> {
    const found: CachedBlob[] = [];
    for (const name of await this.#names()) {
      const known = named(name);
      if (known === undefined) continue;
      const facts = await onDisk("read", this.directory, () =>
        ifThere(() => this.#files.stat(join(this.directory, name))),
      );
      if (facts?.isFile()) found.push({ ...known, size: facts.size, used: new Date(facts.mtimeMs) });
    }
    return found;
  }

  /**
   * Removes what is too much or was not used for too long, and what was never finished, once nobody has written to it for an hour. Files of other
   * names stay.
   * @throws DrayError `DISK`
   */
  async prune({
    keep = this.limit,
    unusedFor = Number.POSITIVE_INFINITY,
    dryRun = false,
    signal,
  }: PruneOptions = {}): Promise<Pruned> {
    const now = Date.now();
    if (!dryRun) await this.#removeUnfinished(now);
    // The index of a layer is of use without it, and fetched sooner.
    const blobs = (await this.list()).sort((a, b) => a.used.getTime() - b.used.getTime() || (a.kind < b.kind ? -1 : 1));
    let left = blobs.reduce((sum, { size }) => sum + size, 0);
    const removed: CachedBlob[] = [];
    for (const blob of blobs) {
      throwIfAborted(signal);
      if (left <= keep && now - blob.used.getTime() <= unusedFor) continue;
      if (!dryRun) await this.#remove(nameOf(blob.digest, blob.kind));
      removed.push(blob);
      left -= blob.size;
    }
    return { removed, left };
  }

  #pathOf(digest: Digest): string {
    return join(this.directory, nameOf(digest, "blob"));
  }

  /** The names in the directory; none where it was never made. */
  #names(): Promise<readonly string[]> {
    return onDisk("read", this.directory, async () => (await ifThere(() => this.#files.readdir(this.directory))) ?? []);
  }

  async #removeUnfinished(now: number): Promise<void> {
    for (const name of await this.#names()) {
      if (!isPartName(name)) continue;
      const facts = await ifThere(() => this.#files.stat(join(this.directory, name)));
      if (facts !== undefined && now - facts.mtimeMs > abandoned) await this.#remove(name);
    }
  }

  /** Another process may have been faster. */
  async #remove(name: string): Promise<void> {
    const path = join(this.directory, name);
    await onDisk("remove", path, () => ifThere(() => this.#files.unlink(path)));
  }

  /** What is kept of a blob, if that is what it should be. */
  async #find(descriptor: Descriptor, part: Part): Promise<KeptFile | undefined> {
    const found = await this.#opened(descriptor, part);
    if (typeof found === "string") return undefined;
    await this.#touch(this.#pathOf(descriptor.digest));
    return found;
  }

  /** What is damaged goes. */
  async #opened(descriptor: Descriptor, part: Part): Promise<KeptFile | "absent" | "damaged"> {
    const path = this.#pathOf(descriptor.digest);
    try {
      const found = await openKept(this.#files, path, descriptor, part);
      if (found !== "damaged") return found;
      this.#warn(`${path} is damaged and is fetched again`);
      await ifThere(() => this.#files.unlink(path));
      return found;
    } catch (error) {
      throwIfAborted(part.signal);
      this.#doWithout(error);
      return "absent";
    }
  }

  /** What was used last goes last. Somebody else's directory may not let us say so. */
  async #touch(path: string): Promise<void> {
    const now = new Date();
    await this.#files.utimes(path, now, now).catch(() => {});
  }

  /** What is too much goes. */
  async #shrink(): Promise<void> {
    await this.prune().catch((error: unknown) => this.#doWithout(error));
  }

  /** Looks at a blob of which a part was wrong. `true`: it was damaged, and is gone. */
  async #mend(blob: Descriptor, { signal }: Cancel = {}): Promise<boolean> {
    const found = await this.#opened(blob, { signal });
    if (typeof found !== "string") await found.close();
    return found === "damaged";
  }

  /** A file that is written beside its final name. `undefined` where there can be none. */
  async #begin(): Promise<PartFile | undefined> {
    return this.#isBroken ? undefined : beginPart(this.#files, this.directory, (error) => this.#doWithout(error));
  }

  /** A cache saves time, and costs nobody his work. It is told of once. */
  #doWithout(error: unknown): void {
    if (!this.#isBroken) this.#warn(`the cache ${this.directory} is done without: ${reasonOf(error)}`);
    this.#isBroken = true;
  }
}

/**
 * A cache in a directory, which is made when there is something to keep.
 * @throws DrayError `USAGE` for a limit that is no number
 * @example
 * const cache = blobCache("/var/cache/images", { limit: 2 * 1024 ** 3, onWarning: console.warn });
 * const store = cachedStore(repository, cache);
 */
export const blobCache = (directory: string, options: BlobCacheOptions = {}): BlobCache =>
  new BlobCache(directory, options);
