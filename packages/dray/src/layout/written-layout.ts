import { childrenOfKind } from "../content/index.ts";
import { childrenOf, type Descriptor, type Digest, liesElsewhere } from "../oci/index.ts";
import type { Catalogue, TarSink } from "../tarball/index.ts";
import { EditedIndex } from "./edited-index.ts";
import { emptyIndex } from "./entries.ts";
import { blobFile } from "./files.ts";
import { parsedIfKnown } from "./graph.ts";
import { named } from "./index-edits.ts";
import { formatIndex, marker } from "./index-file.ts";

/** The index of a layout while it is written into a tar. */
export class WrittenLayout implements Catalogue {
  readonly holdsManifests = true;
  /** Manifests of this attempt, with what they name. */
  readonly #manifests = new Map<
    Digest,
    { readonly descriptor: Descriptor; readonly children: readonly Descriptor[] }
  >();
  /** What they name as manifests. */
  readonly #manifestsBelow = new Set<Digest>();
  readonly #index = new EditedIndex(emptyIndex);

  entryName({ digest }: Descriptor): string {
    return blobFile(digest);
  }

  expect(): void {}

  add(descriptor: Descriptor, bytes: Uint8Array): undefined {
    const parsed = parsedIfKnown(bytes, descriptor.mediaType);
    if (parsed !== undefined)
      for (const child of childrenOfKind(parsed, "manifest")) this.#manifestsBelow.add(child.digest);
    this.#manifests.set(descriptor.digest, { descriptor, children: parsed === undefined ? [] : childrenOf(parsed) });
  }

  has({ digest }: Descriptor): boolean {
    return this.#manifests.has(digest);
  }

  tag(descriptor: Descriptor, name: string): void {
    named(descriptor, name)(this.#index);
  }

  resolve(name: string): Descriptor | undefined {
    return this.#index.find(name);
  }

  isEmpty(): boolean {
    return this.#manifests.size === 0 && this.#index.index.manifests.length === 0;
  }

  /** Ends the archive: its blobs, and the index last. */
  async finish(sink: TarSink): Promise<void> {
    const names = new Map<Digest, readonly string[]>();
    const below = new Set<Digest>();
    for (const { descriptor, children } of this.#manifests.values()) {
      names.set(descriptor.digest, [blobFile(descriptor.digest)]);
      for (const child of children) {
        below.add(child.digest);
        // A layout may be sparse: platforms that were left out, and what lies elsewhere by licence, have no file. What else is not there was forgotten.
        const mayBeAway = this.#manifestsBelow.has(child.digest) || liesElsewhere(child);
        if (names.has(child.digest) || (mayBeAway && !(await sink.has(child)))) continue;
        names.set(child.digest, [blobFile(child.digest)]);
      }
    }
    for (const { digest } of this.#index.index.manifests) names.set(digest, [blobFile(digest)]);
    // What nothing leads down to, such as a signature, which only points up, is found by the index alone.
    for (const { descriptor } of this.#manifests.values())
      if (!below.has(descriptor.digest)) this.#index.enter(descriptor);
    await sink.finish(names, [
      { name: "oci-layout", bytes: Buffer.from(marker) },
      { name: "index.json", bytes: Buffer.from(formatIndex(this.#index.index)) },
    ]);
  }
}
