import { type Cancel, kindOfChild, loadManifest, type ReadableStore } from "../content/index.ts";
import { isDrayError } from "../errors.ts";
import {
  type Annotations,
  artifactTypeOf,
  childrenOf,
  type Descriptor,
  type Digest,
  isManifestLike,
  type ParsedManifest,
  subjectOf,
} from "../oci/index.ts";

/** What a layout needs to know of a manifest to find its way. */
export interface ManifestFacts {
  /** The manifests among the children of an index. Kind follows position: what an image names is never one. */
  readonly manifests: readonly Descriptor[];
  readonly blobs: readonly Descriptor[];
  readonly subject?: Digest;
  readonly artifactType?: string;
  readonly annotations?: Annotations;
}

/** Indexes in indexes are followed to this depth. */
const deepest = 16;

/** The manifests of a layout and how they hang together. Read when needed and remembered: under a digest nothing ever changes. */
export class LayoutGraph {
  readonly #store: ReadableStore;
  readonly #known = new Map<Digest, ManifestFacts>();

  constructor(store: ReadableStore) {
    this.#store = store;
  }

  /** @throws DrayError `NOT_FOUND` when the layout does not have it, and what reading and parsing throw */
  async facts(descriptor: Descriptor, options: Cancel): Promise<ManifestFacts> {
    let facts = this.#known.get(descriptor.digest);
    if (facts === undefined) {
      facts = factsOf((await loadManifest(this.#store, descriptor, options)).parsed);
      this.#known.set(descriptor.digest, facts);
    }
    return facts;
  }

  /** Remembers a manifest that was written. */
  learn(digest: Digest, parsed: ParsedManifest): void {
    this.#known.set(digest, factsOf(parsed));
  }

  /** Forgets a manifest that was removed. */
  forget(digest: Digest): void {
    this.#known.delete(digest);
  }

  /**
   * These manifests and those in the indexes among them, each once. A layout may be sparse (an index of which some platforms
   * were copied): what is not there is left out.
   */
  async *below(
    entries: readonly Descriptor[],
    options: Cancel,
  ): AsyncGenerator<{ readonly descriptor: Descriptor; readonly facts: ManifestFacts }> {
    const seen = new Set<Digest>();
    let level = entries;
    for (let depth = 0; level.length > 0 && depth < deepest; depth++) {
      const next: Descriptor[] = [];
      for (const descriptor of level) {
        if (seen.has(descriptor.digest) || !isManifestLike(descriptor.mediaType)) continue;
        seen.add(descriptor.digest);
        const facts = await this.#factsIfThere(descriptor, options);
        if (facts === undefined) continue;
        yield { descriptor, facts };
        next.push(...facts.manifests);
      }
      level = next;
    }
  }

  async #factsIfThere(descriptor: Descriptor, options: Cancel): Promise<ManifestFacts | undefined> {
    try {
      return await this.facts(descriptor, options);
    } catch (error) {
      if (isDrayError(error, "NOT_FOUND")) return undefined;
      throw error;
    }
  }
}

const factsOf = (parsed: ParsedManifest): ManifestFacts => {
  const subject = subjectOf(parsed)?.digest;
  const artifactType = artifactTypeOf(parsed);
  const annotations =
    parsed.kind === "schema1"
      ? undefined
      : parsed.kind === "index"
        ? parsed.index.annotations
        : parsed.manifest.annotations;
  const children = childrenOf(parsed);
  return {
    manifests: children.filter((child) => kindOfChild(parsed, child) === "manifest"),
    blobs: children.filter((child) => kindOfChild(parsed, child) === "blob"),
    ...(subject === undefined ? {} : { subject }),
    ...(artifactType === undefined ? {} : { artifactType }),
    ...(annotations === undefined || annotations === null ? {} : { annotations }),
  };
};
