import {
  bottomOf,
  childrenOfKind,
  describes,
  expects,
  isHeld,
  kindOfChild,
  type LoadedManifest,
  loadManifest,
  type PlannedContent,
  type ReadableStore,
  type Selection,
} from "../content/index.ts";
import { DrayError, isDrayError, restated } from "../errors.ts";
import {
  childrenOf,
  type Descriptor,
  type Digest,
  formatPlatform,
  liesElsewhere,
  type ParsedManifest,
} from "../oci/index.ts";
import type { Run } from "./run.ts";

/** Index in index in index … A graph is a few levels deep; a hostile one is not followed further. */
const deepest = 16;

/**
 * What lies below roots, as their sources have it: a manifest that was read on the way is not read again, and layers that stay where they lie
 * by licence are no part of it.
 */
export class SourceGraph {
  readonly #run: Run;
  readonly #loaded = new Map<Digest, LoadedManifest>();
  /** Roots that are of another size than they were named with. */
  readonly #resized = new Map<Digest, Descriptor>();
  /** Layers that lie elsewhere by licence, and whether they stay there. */
  readonly #stays = new Map<Digest, boolean>();

  constructor(run: Run) {
    this.#run = run;
  }

  /** Layers that stay where they lie by licence. */
  get leftOut(): number {
    return [...this.#stays.values()].filter((stays) => stays).length;
  }

  /** Keeps a root that was read already, for the first who loads it. */
  keep({ root, loaded }: Selection): void {
    if (loaded !== undefined) this.#loaded.set(root.digest, loaded);
  }

  async load(source: ReadableStore, descriptor: Descriptor, depth: number): Promise<LoadedManifest> {
    if (depth > deepest)
      throw new DrayError("LIMIT_EXCEEDED", `indexes nest deeper than ${deepest} levels at ${descriptor.digest}`);
    const { signal } = this.#run;
    const known = this.#loaded.get(descriptor.digest);
    if (known !== undefined) this.#loaded.delete(descriptor.digest);
    const loaded = known ?? (await this.#run.small(() => loadManifest(source, descriptor, { signal })));
    if (loaded.descriptor.size !== descriptor.size) this.#resized.set(descriptor.digest, loaded.descriptor);
    return loaded;
  }

  /** How many pieces a root names; `undefined` where its manifest is not at hand. */
  async piecesOf(source: ReadableStore, root: Descriptor): Promise<number | undefined> {
    if (!this.#loaded.has(root.digest) && !(expects(source) && source.remembers(root))) return undefined;
    const loaded = await this.load(source, root, 0);
    this.#loaded.set(root.digest, loaded);
    return childrenOf(loaded.parsed).length;
  }

  /** What a root is that was loaded: who named it may have been wrong about its size. */
  asLoaded(root: Descriptor): Descriptor {
    return this.#resized.get(root.digest) ?? root;
  }

  /** Configuration and layers, the largest first: what begins last should be over soon. */
  async blobsOf(source: ReadableStore, parsed: ParsedManifest): Promise<Descriptor[]> {
    const blobs: Descriptor[] = [];
    for (const child of childrenOfKind(parsed, "blob")) if (!(await this.leavesOut(source, child))) blobs.push(child);
    if (parsed.kind === "schema1") blobs.push(...(await this.#described(source, parsed.blobs)));
    return blobs.sort((a, b) => b.size - a.size);
  }

  /** Every manifest and blob below a root, each once, in the order of the document. */
  async contentOf(selection: Selection): Promise<PlannedContent[]> {
    const { store: source, root } = selection;
    this.keep(selection);
    const found = new Map<Digest, PlannedContent>();
    const visit = async (descriptor: Descriptor, depth: number): Promise<void> => {
      if (found.has(descriptor.digest)) return;
      const loaded = await this.load(source, descriptor, depth);
      found.set(descriptor.digest, { descriptor: loaded.descriptor, kind: "manifest" });
      this.#loaded.set(descriptor.digest, loaded);
      for (const child of childrenOf(loaded.parsed)) {
        if (await this.leavesOut(source, child)) continue;
        const kind = kindOfChild(loaded.parsed, child);
        if (kind === "manifest") await ofChild(child, () => visit(child, depth + 1));
        else if (!found.has(child.digest)) found.set(child.digest, { descriptor: child, kind });
      }
    };
    await visit(root, 0);
    return [...found.values()];
  }

  /** Whether a layer stays where it lies by licence. Noted once, however many images are made of it. */
  async leavesOut(source: ReadableStore, descriptor: Descriptor): Promise<boolean> {
    const { options, signal } = this.#run;
    const { foreignLayers = false } = options;
    if (foreignLayers === true || !liesElsewhere(descriptor)) return false;
    const { digest } = descriptor;
    const known = this.#stays.get(digest);
    if (known !== undefined) return known;
    const stays =
      foreignLayers === false ||
      (await this.#run.small(() => isHeld(bottomOf(source), descriptor, { signal }))) !== true;
    this.#stays.set(digest, stays);
    return stays;
  }

  /** A schema 1 image names digests alone. */
  async #described(source: ReadableStore, digests: readonly Digest[]): Promise<Descriptor[]> {
    const store = bottomOf(source);
    const { signal } = this.#run;
    if (!describes(store)) throw new DrayError("UNSUPPORTED", "a schema 1 image can only be copied from a registry");
    return Promise.all(digests.map((digest) => this.#run.small(() => store.describe(digest, { signal }))));
  }
}

/** An index may name what its source does not have: whoever wants the rest can say so. */
export const ofChild = async <T>({ platform }: Descriptor, work: () => Promise<T>): Promise<T> => {
  try {
    return await work();
  } catch (error) {
    if (!isDrayError(error, "NOT_FOUND") || platform === undefined || error.remedy === "choose-platform") throw error;
    throw restated(error, error.code, `${error.message}; the index names it for ${formatPlatform(platform)}`, {
      remedy: "choose-platform",
    });
  }
};
