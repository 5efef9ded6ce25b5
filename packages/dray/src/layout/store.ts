import { unlessAborted } from "../async/index.ts";
import {
  type Cancel,
  type ChecksDigests,
  type Content,
  type Describes,
  type HasReferrers,
  type HasTags,
  isManifest,
  type OfKind,
  type ReadOptions,
  type Removes,
  type Store,
  sized,
  verified,
  type WriteOptions,
} from "../content/index.ts";
import { DrayError, isDrayError, throwIfAborted } from "../errors.ts";
import { type FileSystem, nodeFiles, onDisk, receive } from "../files/index.ts";
import { type Descriptor, type Digest, type Index, isDigest } from "../oci/index.ts";
import { blobChunks, blobSize } from "./blob.ts";
import { listNames, withEntry, withName, withoutEntries } from "./entries.ts";
import { LayoutGraph } from "./graph.ts";
import { IndexEdits } from "./index-edits.ts";
import { layoutPlace, unknownName } from "./names.ts";
import { layoutPaths } from "./paths.ts";
import { factsIfSound, hasFile, isWhole } from "./presence.ts";
import { referrersIn } from "./referrers.ts";
import { describeBlob, indexOf, type LayoutView, resolveIn } from "./resolve.ts";
import { WriteLock } from "./write-lock.ts";

export type LayoutStore = Store & ChecksDigests & HasReferrers & HasTags & Removes & Describes;

export interface LayoutOptions {
  /** The file system, for tests that let it fail. Default: the real one. */
  fs?: FileSystem;
}

/**
 * An OCI image layout in a directory: `oci-layout`, `index.json`, `blobs/`. Names are the `org.opencontainers.image.ref.name`
 * annotations of the entries in `index.json`; a digest is a name too, and `""` is the only entry. Reading needs neither a lock
 * nor permission to write. Writing makes the directory where it is missing, locks it against other writers until `close`, and
 * keeps what is unfinished in `.dray/` inside it, from where a later write goes on.
 * @throws DrayError from its functions: `LAYOUT_INVALID`, `LOCKED`, `DISK`, `NOT_FOUND`
 * @example
 * const layout = layoutStore("./mirror");
 * const descriptor = await layout.resolve("alpine:3.20");
 * @see https://github.com/opencontainers/image-spec/blob/main/image-layout.md
 */
export const layoutStore = (dir: string, { fs = nodeFiles }: LayoutOptions = {}): LayoutStore => new Layout(dir, fs);

class Layout implements LayoutStore {
  readonly checksDigests = true;
  readonly #view: LayoutView;
  readonly #edits: IndexEdits;
  readonly #writing = new Map<Digest, Promise<void>>();
  /** Manifests about another one, written but not in `index.json` yet. Nothing else would lead to them. */
  readonly #unlisted = new Map<Digest, Descriptor>();
  readonly #directories = new Set<string>();
  readonly #lock: WriteLock;

  constructor(dir: string, fs: FileSystem) {
    this.#view = { fs, paths: layoutPaths(dir), graph: new LayoutGraph(this) };
    this.#edits = new IndexEdits(fs, this.#view.paths);
    this.#lock = new WriteLock(fs, this.#view.paths);
  }

  resolve(name: string, options: Cancel = {}): Promise<Descriptor> {
    return resolveIn(this.#view, name, options);
  }

  async describe(digest: Digest, options: Cancel = {}): Promise<Descriptor> {
    const found = await describeBlob(this.#view, digest, options);
    if (found === undefined) throw unknownName(layoutPlace(this.#view.paths.dir), await indexOf(this.#view), digest);
    return found;
  }

  async *read(descriptor: Descriptor, options: ReadOptions = {}): AsyncGenerator<Uint8Array> {
    const { offset = 0, verify = true, signal } = options;
    const { fs, paths } = this.#view;
    const chunks = blobChunks(fs, paths, descriptor, { offset, signal });
    if (offset > 0 || !verify) return yield* sized(chunks, descriptor, offset);
    try {
      yield* verified(chunks, descriptor);
    } catch (error) {
      if (!isDrayError(error, "DIGEST_MISMATCH")) throw error;
      throw new DrayError(
        "DIGEST_MISMATCH",
        `layout ${paths.dir}: blob ${descriptor.digest} holds other bytes; remove ${paths.blob(descriptor.digest)} and copy it there again`,
        { reference: descriptor.digest, cause: error },
      );
    }
  }

  async *tags(options: Cancel = {}): AsyncGenerator<string> {
    throwIfAborted(options.signal);
    yield* listNames(await indexOf(this.#view));
  }

  async *referrers(subject: Descriptor, options: Cancel & { artifactType?: string } = {}): AsyncGenerator<Descriptor> {
    const { manifests } = await indexOf(this.#view);
    yield* referrersIn(this.#view.graph, [...manifests, ...this.#unlisted.values()], subject, options);
  }

  async has(descriptor: Descriptor, options: Cancel & OfKind = {}): Promise<boolean> {
    throwIfAborted(options.signal);
    return isWhole(this.#view, descriptor, this.#unlisted, options);
  }

  async write(descriptor: Descriptor, content: Content, options: WriteOptions = {}): Promise<void> {
    const { digest } = descriptor;
    for (let other = this.#writing.get(digest); other !== undefined; other = this.#writing.get(digest)) {
      // If the other one fails or is cancelled, that says nothing about this one.
      await unlessAborted(
        other.catch(() => {}),
        options.signal,
      );
      if (await hasFile(this.#view, descriptor)) return;
    }
    const writing = this.#write(descriptor, content, options).finally(() => this.#writing.delete(digest));
    this.#writing.set(digest, writing);
    await writing;
  }

  async tag(descriptor: Descriptor, name: string, { signal }: Cancel = {}): Promise<void> {
    throwIfAborted(signal);
    await this.#lock.take();
    if (!(await hasFile(this.#view, descriptor)))
      throw new DrayError("NOT_FOUND", `layout ${this.#view.paths.dir} has no ${descriptor.digest} to name "${name}"`, {
        reference: descriptor.digest,
      });
    await this.#edit((index) => (name === "" ? withEntry(index, descriptor) : withName(index, descriptor, name)));
  }

  async remove(name: string, { signal }: Cancel = {}): Promise<void> {
    throwIfAborted(signal);
    const index = await indexOf(this.#view);
    const { fs, paths, graph } = this.#view;
    const isThere = isDigest(name) && (await blobSize(fs, paths, name)) !== undefined;
    if (!isThere && withoutEntries(index, name) === index) throw unknownName(layoutPlace(paths.dir), index, name);
    await this.#lock.take();
    await this.#edit((now) => withoutEntries(now, name));
    if (!isThere) return;
    graph.forget(name);
    await onDisk("remove", paths.blob(name), () => fs.unlink(paths.blob(name)));
  }

  async close({ abort = false }: { abort?: boolean } = {}): Promise<void> {
    await Promise.allSettled(this.#writing.values());
    try {
      if (!abort && this.#unlisted.size > 0) await this.#edit((index) => index);
    } finally {
      await this.#lock.release();
    }
  }

  async #write(descriptor: Descriptor, content: Content, options: WriteOptions): Promise<void> {
    throwIfAborted(options.signal);
    await this.#lock.take();
    const { digest } = descriptor;
    if (!(await this.#isSound(descriptor, options))) {
      const { fs, paths } = this.#view;
      await this.#makeDirectory(paths.blobs(digest));
      await receive(fs, content, descriptor, { partial: paths.partial(digest), path: paths.blob(digest) }, options);
    }
    if (!isManifest(descriptor, options)) return;
    const facts = await factsIfSound(this.#view, descriptor, {});
    if (typeof facts === "object" && facts.subject !== undefined) this.#unlisted.set(digest, descriptor);
  }

  /** Whether its own bytes are there. Those of a blob are not read again for that. */
  async #isSound(descriptor: Descriptor, options: OfKind): Promise<boolean> {
    if (!(await hasFile(this.#view, descriptor))) return false;
    return !isManifest(descriptor, options) || (await factsIfSound(this.#view, descriptor, {})) !== "damaged";
  }

  /** Changes the index, and enters what has no entry yet. */
  async #edit(edit: (index: Index) => Index): Promise<void> {
    const unlisted = [...this.#unlisted.values()];
    await this.#edits.apply((index) => edit(unlisted.reduce(withEntry, index)));
    for (const { digest } of unlisted) this.#unlisted.delete(digest);
  }

  async #makeDirectory(path: string): Promise<void> {
    if (this.#directories.has(path)) return;
    await onDisk("make the directory", path, () => this.#view.fs.mkdir(path, { recursive: true }));
    this.#directories.add(path);
  }
}
