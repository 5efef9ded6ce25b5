import { dirname } from "node:path";
import { Lazy, unlessAborted } from "../async/index.ts";
import {
  type Cancel,
  type ChecksDigests,
  type Content,
  type Describes,
  type HasOptions,
  type HasReferrers,
  type HasTags,
  type Ingests,
  isManifest,
  type KeepsLayers,
  type OfKind,
  type Removes,
  type Store,
  type WriteOptions,
} from "../content/index.ts";
import { defined } from "../defined.ts";
import { DrayError, isDrayError, throwIfAborted } from "../errors.ts";
import { type FileSystem, type Lock, nodeFiles, onDisk, receive, receiveUnknown } from "../files/index.ts";
import { type Descriptor, type Digest, type DigestAlgorithm, isDigest, subjectOf } from "../oci/index.ts";
import { directoryFiles } from "./directory.ts";
import { hasEntry } from "./entries.ts";
import { blobFile } from "./files.ts";
import { IndexEdits, named } from "./index-edits.ts";
import { unknownName } from "./names.ts";
import { type LayoutPaths, layoutPaths } from "./paths.ts";
import { isWhole, manifestIfSound } from "./presence.ts";
import { LayoutReader } from "./reader.ts";
import { lockLayout } from "./write-lock.ts";

/** An OCI layout in a directory as a store. */
export type LayoutStore = Store & ChecksDigests & HasReferrers & HasTags & Removes & Describes & Ingests & KeepsLayers;

/** What a layout stands on. */
export interface LayoutOptions {
  /** The file system, for tests that let it fail. Default: the real one. */
  fs?: FileSystem;
}

/**
 * An OCI image layout in a directory: `oci-layout`, `index.json`, `blobs/`. Names are the `org.opencontainers.image.ref.name`
 * annotations of the entries in `index.json`; a digest is a name too, and `""` is the only entry. Reading needs neither a lock
 * nor permission to write. Writing makes the directory where it is missing, locks it against other writers until `close`, and
 * keeps what is unfinished in `.dray/` inside it, from where a later write goes on. A blob is there when its file has the right size;
 * another size is replaced by the next write. Other bytes of the same size are found by whoever reads them (`validate`, `copy` with
 * `verify`, which looks at what the target has as well), and then the next write replaces them, too.
 * @throws DrayError from its functions: `LAYOUT_INVALID`, `LOCKED`, `DISK`, `NOT_FOUND`
 * @example
 * const layout = layoutStore("./mirror");
 * const descriptor = await layout.resolve("alpine:3.20");
 * @see https://github.com/opencontainers/image-spec/blob/main/image-layout.md
 */
export const layoutStore = (dir: string, { fs = nodeFiles }: LayoutOptions = {}): LayoutStore => new Layout(dir, fs);

class Layout extends LayoutReader implements LayoutStore {
  readonly checksDigests = true;
  readonly keepsLayers = true;
  readonly keepsArrived = "parts";
  readonly #fs: FileSystem;
  readonly #paths: LayoutPaths;
  readonly #edits: IndexEdits;
  readonly #writing = new Map<Digest, Promise<void>>();
  /** Files whose bytes were read: those with another digest, and those with their own. */
  readonly #wrong = new Set<Digest>();
  readonly #right = new Set<Digest>();
  readonly #directories = new Set<string>();
  #ingested = 0;
  readonly #lock = new Lazy<Lock>();

  constructor(dir: string, fs: FileSystem) {
    const paths = layoutPaths(dir);
    super(directoryFiles(fs, paths));
    this.#fs = fs;
    this.#paths = paths;
    this.#edits = new IndexEdits(fs, paths, this);
  }

  override async resolve(name: string, options: Cancel = {}): Promise<Descriptor> {
    await this.#seen(name);
    return super.resolve(name, options);
  }

  override async *tags(options: Cancel = {}): AsyncGenerator<string> {
    await this.#seen("");
    yield* super.tags(options);
  }

  override referrers(
    subject: Descriptor,
    options: Cancel & { artifactType?: string } = {},
  ): AsyncGenerator<Descriptor> {
    return super.referrers(subject, options, this.#edits.unlisted.values());
  }

  async has(descriptor: Descriptor, options: HasOptions = {}): Promise<boolean> {
    throwIfAborted(options.signal);
    return isWhole(this, descriptor, this.#edits.unlisted, options);
  }

  /** What was found wrong is not there, whatever its size, until it is written again. */
  override async holds(descriptor: Descriptor, options: HasOptions = {}): Promise<boolean> {
    if (this.#wrong.has(descriptor.digest) || !(await super.holds(descriptor, options))) return false;
    return options.thorough !== true || this.#checked(descriptor, options);
  }

  protected override foundWrong(digest: Digest): void {
    this.#wrong.add(digest);
    this.#right.delete(digest);
  }

  /** Reads a file and compares its digest, once. */
  async #checked(descriptor: Descriptor, { signal }: Cancel): Promise<boolean> {
    const { digest } = descriptor;
    if (this.#right.has(digest)) return true;
    try {
      for await (const _ of this.read(descriptor, { signal })) throwIfAborted(signal);
    } catch (error) {
      if (isDrayError(error, "DIGEST_MISMATCH")) return false;
      throw error;
    }
    this.#right.add(digest);
    return true;
  }

  async write(descriptor: Descriptor, content: Content, options: WriteOptions = {}): Promise<void> {
    const { digest } = descriptor;
    for (let other = this.#writing.get(digest); other !== undefined; other = this.#writing.get(digest)) {
      // If the other one fails or is cancelled, that says nothing about this one.
      await unlessAborted(
        other.catch(() => {}),
        options.signal,
      );
      if (await this.holds(descriptor, options)) return;
    }
    const writing = this.#write(descriptor, content, options).finally(() => this.#writing.delete(digest));
    this.#writing.set(digest, writing);
    await writing;
  }

  async ingest(
    content: Content,
    options: WriteOptions & { mediaType: string; algorithm?: DigestAlgorithm },
  ): Promise<Descriptor> {
    const { mediaType, signal } = options;
    await this.#lockOnce();
    const partial = this.#paths.unnamed(this.#ingested++);
    const landing = { partial, path: (digest: Digest) => this.#paths.blob(digest) };
    const received = await receiveUnknown(
      this.#fs,
      content,
      landing,
      defined({ algorithm: options.algorithm, signal }),
    );
    const descriptor = { mediaType, ...received };
    this.#wrong.delete(received.digest);
    this.#right.add(received.digest);
    this.#edits.came(received.size);
    if (isManifest(descriptor, options)) await this.#learn(descriptor, options);
    return descriptor;
  }

  async tag(
    descriptor: Descriptor,
    name: string,
    { signal, atClose = false }: Cancel & { readonly atClose?: boolean } = {},
  ): Promise<void> {
    throwIfAborted(signal);
    await this.#lockOnce();
    if (!(await this.holds(descriptor, {})))
      throw new DrayError("NOT_FOUND", `${this.files.what} has no ${descriptor.digest} to name "${name}"`, {
        reference: descriptor.digest,
      });
    await (atClose ? this.#edits.later(descriptor, name) : this.#edits.apply(named(descriptor, name)));
  }

  async remove(name: string, { signal }: Cancel = {}): Promise<void> {
    throwIfAborted(signal);
    await this.#seen(name);
    const index = await this.index();
    const isThere = isDigest(name) && (await this.files.find(blobFile(name), {})) !== undefined;
    if (!isThere && !hasEntry(index, name)) throw unknownName(this.files, index, name);
    await this.#lockOnce();
    await this.#edits.apply((now) => void now.remove(name));
    if (!isThere) return;
    this.forgotten(name);
    const path = this.#paths.blob(name);
    await onDisk("remove", path, () => this.#fs.unlink(path));
  }

  async close({ abort = false }: { abort?: boolean } = {}): Promise<void> {
    await Promise.allSettled(this.#writing.values());
    try {
      if (this.#edits.waits("") || (!abort && this.#edits.unlisted.size > 0)) await this.#writeIndex();
    } finally {
      await (await this.#lock.take())?.release();
    }
  }

  async #write(descriptor: Descriptor, content: Content, options: WriteOptions): Promise<void> {
    throwIfAborted(options.signal);
    await this.#lockOnce();
    const { digest } = descriptor;
    if (!(await this.#isSound(descriptor, options))) {
      const path = this.#paths.blob(digest);
      await this.#makeDirectory(dirname(path));
      await receive(this.#fs, content, descriptor, { partial: this.#paths.partial(digest), path }, options);
      this.#wrong.delete(digest);
      this.#right.add(digest);
      this.#edits.came(descriptor.size);
    }
    if (isManifest(descriptor, options)) await this.#learn(descriptor, options);
  }

  /** Looks at a manifest that is there now. */
  async #learn(descriptor: Descriptor, options: WriteOptions): Promise<void> {
    const { digest } = descriptor;
    this.arrived(digest, options.parsed);
    const parsed = await manifestIfSound(this, descriptor, {});
    if (typeof parsed === "object" && subjectOf(parsed) !== undefined) this.#edits.unlisted.set(digest, descriptor);
  }

  #lockOnce(): Promise<Lock> {
    return this.#lock.get(() => lockLayout(this.#fs, this.#paths, this));
  }

  /** Whether its own bytes are there. Those of a blob are not read again for that. */
  async #isSound(descriptor: Descriptor, options: OfKind): Promise<boolean> {
    if (!(await this.holds(descriptor, {}))) return false;
    return !isManifest(descriptor, options) || (await manifestIfSound(this, descriptor, {})) !== "damaged";
  }

  /** Sees to it that a name that waits to be written can be read. */
  async #seen(name: string): Promise<void> {
    if (this.#edits.waits(name)) await this.#writeIndex();
  }

  /** Writes what waits: names that a failure left over, too, when the lock is gone already. */
  async #writeIndex(): Promise<void> {
    await this.#lockOnce();
    await this.#edits.write();
  }

  async #makeDirectory(path: string): Promise<void> {
    if (this.#directories.has(path)) return;
    await onDisk("make the directory", path, () => this.#fs.makeDirectory(path));
    this.#directories.add(path);
  }
}
