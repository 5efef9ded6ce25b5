import { childrenOfKind } from "../content/index.ts";
import { childrenOf, type Descriptor, type Digest, type Index, isDigest, liesElsewhere } from "../oci/index.ts";
import type { Catalogue, TarSink } from "../tarball/index.ts";
import { emptyIndex, findNamed, withEntry, withName } from "./entries.ts";
import { blobFile } from "./files.ts";
import { parsedIfKnown } from "./graph.ts";
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
  #index: Index = emptyIndex;

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
    this.#index = name === "" ? withEntry(this.#index, descriptor) : withName(this.#index, descriptor, name);
  }

  resolve(name: string): Descriptor | undefined {
    return isDigest(name) ? this.#index.manifests.find(({ digest }) => digest === name) : findNamed(this.#index, name);
  }

  isEmpty(): boolean {
    return this.#manifests.size === 0 && this.#index.manifests.length === 0;
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
    for (const { digest } of this.#index.manifests) names.set(digest, [blobFile(digest)]);
    // What nothing leads down to, such as a signature, which only points up, is found by the index alone.
    const tops = [...this.#manifests.values()].filter(({ descriptor }) => !below.has(descriptor.digest));
    const index = tops.reduce((all, { descriptor }) => withEntry(all, descriptor), this.#index);
    await sink.finish(names, [
      { name: "oci-layout", bytes: Buffer.from(marker) },
      { name: "index.json", bytes: Buffer.from(formatIndex(index)) },
    ]);
  }
}
