import { type Cancel, childrenOfKind, loadManifest, type ReadableStore } from "../content/index.ts";
import { isDrayError } from "../errors.ts";
import { type Descriptor, type Digest, isManifestLike, type ParsedManifest, parseManifest } from "../oci/index.ts";

/** Indexes in indexes are followed to this depth. */
export const deepest = 16;

/** The manifests of a layout and how they hang together. Read when needed and remembered: under a digest nothing ever changes. */
export class LayoutGraph {
  readonly #store: ReadableStore;
  readonly #known = new Map<Digest, ParsedManifest>();

  constructor(store: ReadableStore) {
    this.#store = store;
  }

  /** @throws DrayError `NOT_FOUND` when the layout does not have it, and what reading and parsing throw */
  async manifest(descriptor: Descriptor, options: Cancel): Promise<ParsedManifest> {
    const known = this.#known.get(descriptor.digest);
    if (known !== undefined) return known;
    const { parsed } = await loadManifest(this.#store, descriptor, options);
    this.#known.set(descriptor.digest, parsed);
    return parsed;
  }

  /** Remembers a manifest that was written. */
  learn(digest: Digest, parsed: ParsedManifest): void {
    this.#known.set(digest, parsed);
  }

  /** Forgets a manifest that was removed. */
  forget(digest: Digest): void {
    this.#known.delete(digest);
  }

  /**
   * These manifests and those in the indexes among them, each once. A layout may be sparse (an index of which some platforms
   * were copied): what is not there is left out, and told to `onMissing`. What was `seen` is not walked again.
   */
  async *below(
    entries: readonly Descriptor[],
    {
      seen = new Set<Digest>(),
      onMissing,
      ...options
    }: Cancel & { readonly seen?: Set<Digest>; readonly onMissing?: (missing: Descriptor) => void },
  ): AsyncGenerator<{ readonly descriptor: Descriptor; readonly parsed: ParsedManifest }> {
    let level = entries;
    for (let depth = 0; level.length > 0 && depth < deepest; depth++) {
      const next: Descriptor[] = [];
      for (const descriptor of level) {
        if (seen.has(descriptor.digest) || !isManifestLike(descriptor.mediaType)) continue;
        seen.add(descriptor.digest);
        const parsed = await this.manifest(descriptor, options).catch(unlessMissing);
        if (parsed === undefined) {
          onMissing?.(descriptor);
          continue;
        }
        yield { descriptor, parsed };
        next.push(...childrenOfKind(parsed, "manifest"));
      }
      level = next;
    }
  }
}

/** What a manifest says; nothing where nobody here understands it, and it is kept as bytes. */
export const parsedIfKnown = (bytes: Uint8Array, mediaType?: string): ParsedManifest | undefined => {
  try {
    return parseManifest(bytes, mediaType);
  } catch (error) {
    if (isDrayError(error, "MANIFEST_INVALID", "LIMIT_EXCEEDED")) return undefined;
    throw error;
  }
};

const unlessMissing = (error: unknown): undefined => {
  if (!isDrayError(error, "NOT_FOUND")) throw error;
};
