import { DrayError } from "../errors.ts";
import {
  asReferrer,
  type Descriptor,
  type Digest,
  type DigestAlgorithm,
  digestOf,
  isDigest,
  parseManifest,
  subjectOf,
} from "../oci/index.ts";
import { type Content, collect } from "./bytes.ts";
import type { ChecksDigests, HasReferrers, HasTags, Ingests, Removes } from "./capabilities.ts";
import { type Cancel, isManifest, type ReadOptions, type Store, type WriteOptions } from "./store.ts";
import { sizeMismatch, verified } from "./verify.ts";

/** A store in memory, for small content: tests, changed manifests, things on the way to somewhere else. */
export type MemoryStore = Store & ChecksDigests & HasTags & HasReferrers & Removes & Ingests;

/**
 * Makes an empty store in memory.
 * @example
 * const store = memoryStore();
 * const descriptor = await store.ingest(bytesContent(bytes), { mediaType: "application/octet-stream" });
 */
export const memoryStore = (): MemoryStore => new Memory();

interface Held {
  readonly mediaType: string;
  readonly bytes: Uint8Array;
  readonly manifest: boolean;
}

class Memory implements MemoryStore {
  readonly checksDigests = true;
  readonly #content = new Map<Digest, Held>();
  readonly #names = new Map<string, Descriptor>();
  /** Manifests that say something about another one, by that one; and those of which nobody has asked yet. */
  readonly #about = new Map<Digest, Map<Digest, Descriptor>>();
  readonly #unread = new Set<Digest>();

  async resolve(name: string): Promise<Descriptor> {
    const named = this.#names.get(name);
    if (named !== undefined) return named;
    if (isDigest(name)) {
      const held = this.#content.get(name);
      if (held !== undefined) return { mediaType: held.mediaType, digest: name, size: held.bytes.byteLength };
    }
    if (name === "" && this.#names.size === 1) return [...this.#names.values()][0] as Descriptor;
    throw new DrayError("NOT_FOUND", `memory: there is no "${name}"`, { reference: name });
  }

  async *read(
    descriptor: Descriptor,
    { offset = 0, length = Number.POSITIVE_INFINITY }: ReadOptions = {},
  ): AsyncGenerator<Uint8Array> {
    const held = this.#content.get(descriptor.digest);
    if (held === undefined)
      throw new DrayError("NOT_FOUND", `memory: there is no ${descriptor.digest}`, { reference: descriptor.digest });
    if (held.bytes.byteLength !== descriptor.size) throw sizeMismatch(descriptor, `${held.bytes.byteLength}`);
    if (offset < held.bytes.byteLength && length > 0) yield held.bytes.subarray(offset, offset + length);
  }

  async has(descriptor: Descriptor): Promise<boolean> {
    return this.#content.get(descriptor.digest)?.bytes.byteLength === descriptor.size;
  }

  async write(descriptor: Descriptor, content: Content, options: WriteOptions = {}): Promise<void> {
    const { mediaType, digest, size } = descriptor;
    const bytes = await collect(verified(content.open(options), descriptor), size, `content ${digest}`);
    this.#put(digest, { mediaType, bytes, manifest: isManifest(descriptor, options) });
  }

  async ingest(
    content: Content,
    options: WriteOptions & { mediaType: string; algorithm?: DigestAlgorithm },
  ): Promise<Descriptor> {
    const bytes = await collect(content.open(options), Number.MAX_SAFE_INTEGER, "content");
    const digest = digestOf(bytes, options.algorithm);
    const descriptor = { mediaType: options.mediaType, digest, size: bytes.byteLength };
    this.#put(digest, { mediaType: options.mediaType, bytes, manifest: isManifest(descriptor, options) });
    return descriptor;
  }

  #put(digest: Digest, held: Held): void {
    this.#content.set(digest, held);
    if (held.manifest) this.#unread.add(digest);
  }

  async tag(descriptor: Descriptor, name: string): Promise<void> {
    this.#names.set(name, descriptor);
  }

  async *tags(): AsyncGenerator<string> {
    yield* [...this.#names.keys()].sort();
  }

  async *referrers(
    subject: Descriptor,
    { artifactType }: Cancel & { artifactType?: string } = {},
  ): AsyncGenerator<Descriptor> {
    for (const digest of this.#unread) this.#learn(digest);
    for (const [digest, found] of this.#about.get(subject.digest) ?? [])
      if (this.#content.has(digest) && (artifactType === undefined || found.artifactType === artifactType)) yield found;
  }

  #learn(digest: Digest): void {
    const held = this.#content.get(digest);
    if (held !== undefined) {
      const { mediaType, bytes } = held;
      const parsed = parseManifest(bytes, mediaType);
      const subject = subjectOf(parsed)?.digest;
      if (subject !== undefined) {
        const about = this.#about.get(subject) ?? new Map<Digest, Descriptor>();
        this.#about.set(subject, about.set(digest, asReferrer({ mediaType, digest, size: bytes.byteLength }, parsed)));
      }
    }
    this.#unread.delete(digest);
  }

  async remove(name: string): Promise<void> {
    if (this.#names.delete(name)) return;
    if (!this.#content.delete(name as Digest))
      throw new DrayError("NOT_FOUND", `memory: there is no "${name}"`, { reference: name });
    for (const [key, descriptor] of this.#names) if (descriptor.digest === name) this.#names.delete(key);
  }

  async close(): Promise<void> {}
}
