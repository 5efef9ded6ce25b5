import {
  type Cancel,
  type ContentKind,
  type HasOptions,
  keepsReferenced,
  type Located,
  looksUp,
  type ReadableStore,
  startsEmpty,
  tellsNew,
  type WritableStore,
} from "../content/index.ts";
import { isDrayError, restated } from "../errors.ts";
import { type Descriptor, isDigest } from "../oci/index.ts";
import type { Run } from "./run.ts";

/** What the targets of a run have, by their own word. Asked only where the answer may save the work. */
export class Targets {
  readonly #run: Run;
  /** Those that may be new, and whether they are. */
  readonly #new = new Map<object, Promise<boolean>>();
  /** What they are called. */
  readonly #places = new Map<object, string>();

  constructor(run: Run) {
    this.#run = run;
  }

  /** What the target's name stands for now. */
  named(target: Located<WritableStore>, signal: AbortSignal): Promise<Descriptor | undefined> {
    return this.#run.small(() => resolveTarget(target, { signal: AbortSignal.any([this.#run.signal, signal]) }));
  }

  /** Finds out whether a target is new, once, and where a name is not there yet. */
  async learn({ store, location }: Located<WritableStore>, before: Descriptor | undefined): Promise<void> {
    this.#places.set(store, location);
    if (!tellsNew(store)) return;
    if (before !== undefined) this.#new.set(store, Promise.resolve(false));
    else if (!this.#new.has(store))
      this.#new.set(
        store,
        this.#run.small(() => store.isNew({ signal: this.#run.signal })),
      );
    await this.#new.get(store);
  }

  /** `undefined`: it does not tell. */
  isNew(target: WritableStore): Promise<boolean> | undefined {
    return this.#new.get(target);
  }

  /** Who may not even ask hears that it cannot be written there, which is what was wanted. */
  async has(target: WritableStore, descriptor: Descriptor, kind: ContentKind): Promise<boolean> {
    try {
      return await this.#run.small(() => target.has(descriptor, this.#look(kind)));
    } catch (error) {
      if (!isDrayError(error, "UNAUTHORIZED", "DENIED")) throw error;
      throw restated(error, error.code, `cannot write ${this.#places.get(target)}: ${error.message}`);
    }
  }

  /** Whether a root that its name stands for is there with all below it. */
  async isWhole(target: WritableStore, root: Descriptor): Promise<boolean> {
    return keepsReferenced(target) || this.#run.small(() => target.has(root, this.#look("manifest")));
  }

  #look(kind: ContentKind): HasOptions {
    const { options, signal } = this.#run;
    return { kind, signal, thorough: options.verify === true || options.force === true };
  }
}

const resolveTarget = async (
  { store, name }: Located<WritableStore>,
  options: Cancel,
): Promise<Descriptor | undefined> => {
  const { resolve } = store as Partial<ReadableStore>;
  if (resolve === undefined || name === "" || isDigest(name) || startsEmpty(store)) return undefined;
  try {
    return await (looksUp(store) ? store.lookUp(name, options) : resolve.call(store, name, options));
  } catch (error) {
    // Whoever may push may perhaps not pull, and a layout that was never finished has no names; writing will tell.
    if (isDrayError(error, "NOT_FOUND", "DENIED", "UNAUTHORIZED", "LAYOUT_INVALID")) return undefined;
    throw error;
  }
};
