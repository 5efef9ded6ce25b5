import {
  bytesContent,
  type Cancel,
  type Content,
  collect,
  isManifest,
  type OfKind,
  type PlannedContent,
  verified,
  type WriteOptions,
} from "../content/index.ts";
import { DrayError, isDrayError } from "../errors.ts";
import {
  childrenOf,
  type Descriptor,
  type Digest,
  type Index,
  largestManifest,
  type ParsedManifest,
  parseManifest,
} from "../oci/index.ts";
import type { NamedContent, TarSink } from "../tarball/index.ts";
import { blobFile } from "./archive-reader.ts";
import { emptyIndex, withEntry, withName } from "./entries.ts";
import { formatIndex, marker } from "./index-file.ts";

/** A layout that is written into a tar. */
export class LayoutArchiveWriter {
  readonly #sink: TarSink;
  /** Manifests of this attempt, with what they name. */
  readonly #manifests = new Map<
    Digest,
    { readonly descriptor: Descriptor; readonly children: readonly Descriptor[] }
  >();
  #index: Index = emptyIndex;

  constructor(sink: TarSink) {
    this.#sink = sink;
  }

  /** The index as it is so far. */
  get index(): Index {
    return this.#index;
  }

  async plan(content: readonly PlannedContent[]): Promise<void> {
    await this.#sink.plan(content.map(({ descriptor }) => named(descriptor)));
  }

  /** A manifest that an earlier attempt left does not count: who finds one looks no further, and others may be missing. */
  async has(descriptor: Descriptor, options?: Cancel & OfKind): Promise<boolean> {
    return isManifest(descriptor, options)
      ? this.#manifests.has(descriptor.digest)
      : this.#sink.has(descriptor, options);
  }

  async write(descriptor: Descriptor, content: Content, options: WriteOptions = {}): Promise<void> {
    if (!isManifest(descriptor, options)) return this.#sink.write(named(descriptor), content, options);
    const { signal } = options;
    const chunks = verified(content.open(signal === undefined ? {} : { signal }), descriptor);
    const bytes = await collect(chunks, largestManifest, `manifest ${descriptor.digest}`);
    await this.#sink.write(named(descriptor), bytesContent(bytes), options);
    this.#manifests.set(descriptor.digest, { descriptor, children: childrenIn(bytes, descriptor) });
  }

  async tag(descriptor: Descriptor, name: string, options?: Cancel): Promise<void> {
    if (!(await this.has(descriptor, options)))
      throw new DrayError("NOT_FOUND", `cannot name ${descriptor.digest} "${name}": it was not written`, {
        reference: descriptor.digest,
      });
    this.#index = name === "" ? withEntry(this.#index, descriptor) : withName(this.#index, descriptor, name);
  }

  async close({ abort }: { abort: boolean }): Promise<void> {
    if (abort || (this.#manifests.size === 0 && this.#index.manifests.length === 0)) return this.#sink.abandon();
    try {
      await this.#finish();
    } catch (error) {
      await this.#sink.abandon();
      throw error;
    }
  }

  async #finish(): Promise<void> {
    const names = new Map<Digest, readonly string[]>();
    const below = new Set<Digest>();
    for (const { descriptor, children } of this.#manifests.values()) {
      names.set(descriptor.digest, [blobFile(descriptor.digest)]);
      for (const child of children) {
        below.add(child.digest);
        // A layout may be sparse: what was left out on purpose has no file.
        if (!names.has(child.digest) && (await this.#sink.has(child)))
          names.set(child.digest, [blobFile(child.digest)]);
      }
    }
    for (const { digest } of this.#index.manifests) names.set(digest, [blobFile(digest)]);
    // What nothing leads down to, such as a signature, which only points up, is found by the index alone.
    const tops = [...this.#manifests.values()].filter(({ descriptor }) => !below.has(descriptor.digest));
    const index = tops.reduce((all, { descriptor }) => withEntry(all, descriptor), this.#index);
    await this.#sink.finish(names, [
      { name: "oci-layout", bytes: Buffer.from(marker) },
      { name: "index.json", bytes: Buffer.from(formatIndex(index)) },
    ]);
  }
}

const named = (descriptor: Descriptor): NamedContent => ({ descriptor, name: blobFile(descriptor.digest) });

/** What a manifest names. One that nobody here understands is kept as bytes. */
const childrenIn = (bytes: Uint8Array, { mediaType }: Descriptor): readonly Descriptor[] => {
  let parsed: ParsedManifest;
  try {
    parsed = parseManifest(bytes, mediaType);
  } catch (error) {
    if (isDrayError(error, "MANIFEST_INVALID", "LIMIT_EXCEEDED")) return [];
    throw error;
  }
  return childrenOf(parsed);
};
