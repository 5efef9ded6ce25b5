import { forEachConcurrent, Semaphore } from "../async/index.ts";
import {
  bottomOf,
  bytesContent,
  type Cancel,
  type ContentKind,
  checksDigests,
  childrenOfKind,
  describes,
  type HasOptions,
  type Ingests,
  isHeld,
  keepsReferenced,
  kindOfChild,
  type LoadedManifest,
  type Located,
  loadManifest,
  looksUp,
  meteredContent,
  mountsFrom,
  opensLate,
  type PlannedContent,
  type ProgressEvent,
  type ReadableStore,
  readAhead,
  type Selection,
  startsEmpty,
  tellsNew,
  type WritableStore,
  writesNamed,
} from "../content/index.ts";
import { aborted, DrayError, isDrayError, lacksBlobs, restated } from "../errors.ts";
import { refuseNumber } from "../numbers.ts";
import {
  childrenOf,
  type Descriptor,
  type Digest,
  formatPlatform,
  isDigest,
  liesElsewhere,
  type Platform,
} from "../oci/index.ts";
import { walkAttached } from "./attached-walk.ts";
import { blobKey, compressedKey, Ledger, manifestKey } from "./ledger.ts";
import type { CopyCounts, CopyOptions } from "./options.ts";
import { Slots } from "./slots.ts";

/** Index in index in index … A graph is a few levels deep; a hostile one is not followed further. */
const deepest = 16;
/** Subtrees of one index that are worked on at the same time. */
const childrenAtOnce = 16;
/** Requests without a body worth counting, at the same time: does it exist, read a manifest. */
const requestsAtOnce = 32;
/** Bytes. Of a target that is new, larger blobs are asked for all the same: a copy that was cut off may have brought them. */
const worthAsking = 1024 * 1024;
/** Layers that are compressed at the same time, each on all cores. */
const compressedAtOnce = 2;

/** The state of one `copyAll`: what has been moved or is being moved, to where, and how much of it. */
export class Transfer {
  readonly signal: AbortSignal;
  readonly #options: CopyOptions;
  readonly #cancel = new AbortController();
  readonly #failFast: boolean;
  readonly #bodies: Slots;
  readonly #requests = new Semaphore(requestsAtOnce);
  readonly #compressing = new Semaphore(compressedAtOnce);
  readonly #ledger = new Ledger();
  /** Targets that may be new, and whether they are. */
  readonly #new = new Map<object, Promise<boolean>>();
  /** Targets by what they are called. */
  readonly #places = new Map<object, string>();
  readonly #loaded = new Map<Digest, LoadedManifest>();
  /** Roots that are of another size than they were named with. */
  readonly #resized = new Map<Digest, Descriptor>();
  /** Blobs that a target has by its own word. */
  readonly #vouched = new Map<object, Set<Digest>>();
  /** Layers that lie elsewhere by licence, and whether they stay there. */
  readonly #stays = new Map<Digest, boolean>();
  readonly #counts = { copied: 0, mounted: 0, skipped: 0, bytes: 0, resumed: 0 };

  /** `failFast`: the first error ends everything that is on its way. */
  constructor(options: CopyOptions, failFast: boolean) {
    this.#options = options;
    this.#failFast = failFast;
    refuseNumber("jobs", options.jobs);
    this.#bodies = new Slots(options.jobs);
    this.signal =
      options.signal === undefined ? this.#cancel.signal : AbortSignal.any([options.signal, this.#cancel.signal]);
  }

  readonly emit = (event: ProgressEvent): void => this.#options.onEvent?.(event);

  counts(): CopyCounts {
    const leftOut = [...this.#stays.values()].filter((stays) => stays).length;
    return { ...this.#counts, leftOut };
  }

  throwIfCancelled(): void {
    if (this.#options.signal?.aborted) throw aborted(this.#options.signal);
  }

  /** What the target's name stands for now, where that may save the work. */
  named(target: Located<WritableStore>, signal: AbortSignal): Promise<Descriptor | undefined> {
    return this.#small(() => resolveTarget(target, { signal: AbortSignal.any([this.signal, signal]) }));
  }

  /** Puts the layers of a root that have to be compressed into the target, and gives the root that names them so. */
  async pushForm(selection: Selection, target: WritableStore & Ingests): Promise<Selection> {
    const { store: source, root, trimmed } = selection;
    if (this.#options.skip?.(root)) return selection;
    const { compressLayer, pushForm, viewOfLoaded } = await import("../image/index.ts");
    const loaded = selection.loaded ?? (await this.#load(source, root, 0));
    const options = { signal: this.signal, onEvent: this.emit };
    const compress = (layer: Descriptor): Promise<Descriptor> =>
      this.#ledger.once(target, compressedKey(layer.digest), source, async () => {
        if ((await this.#leftOut(source, layer)) || this.#options.skip?.(layer)) return layer;
        this.emit({ type: "plan", blobs: 1, bytes: layer.size });
        const made = await this.#compressing.run(this.signal, () =>
          this.#bodies.run(this.signal, layer.size, () => compressLayer(source, target, layer, options)),
        );
        this.#copied(made);
        this.#ledger.arrived(target, made.digest);
        return made;
      });
    const made = await pushForm(
      viewOfLoaded(source, loaded),
      (layer) => this.#cancelling(compress(layer)),
      options,
    ).catch((error: unknown) => {
      throw this.#firstCause(error);
    });
    return made.root === root ? { ...selection, loaded } : { store: made.store, root: made.root, trimmed };
  }

  /**
   * Moves one root and gives it the target's name, which stands for `before` now. Tells what the root is: who named it may have been wrong
   * about its size. `partly`: what refers to it, and could not be taken along.
   */
  async root(
    { store: source, root: named, loaded }: Selection,
    target: Located<WritableStore>,
    before: Descriptor | undefined,
  ): Promise<{ readonly root: Descriptor; readonly partly: DrayError | undefined }> {
    let root = named;
    if (loaded !== undefined) this.#loaded.set(root.digest, loaded);
    const name = isDigest(target.name) ? undefined : target.name;
    if (isDigest(target.name) && target.name !== root.digest)
      throw new DrayError(
        "USAGE",
        `${target.location} names ${target.name}, but the content is ${root.digest}; leave the digest out`,
      );
    this.#places.set(target.store, target.location);
    await this.#learnNew(target.store, before);
    const manifests: Descriptor[] = [];
    const isNamed =
      this.#options.force !== true && before?.digest === root.digest && (await this.#isWhole(target.store, root));
    let written = isNamed;
    if (isNamed) this.#skipped(root);
    else written = await this.#manifest({ source, target: target.store, seen: manifests }, root, 0, name);
    root = this.#resized.get(root.digest) ?? root;
    const attached = this.#options.referrers === true;
    const partly = attached ? await this.#attached(source, target.store, root, manifests) : undefined;
    if (name !== undefined && !written && this.#options.dryRun !== true)
      await this.#small(() => target.store.tag(root, name, { signal: this.signal }));
    return { root, partly };
  }

  /** Every manifest and blob below a root, each once, in the order of the document. */
  async contentOf({ store: source, root, loaded: known }: Selection): Promise<PlannedContent[]> {
    if (known !== undefined) this.#loaded.set(root.digest, known);
    const found = new Map<Digest, PlannedContent>();
    const visit = async (descriptor: Descriptor, depth: number): Promise<void> => {
      if (found.has(descriptor.digest)) return;
      const loaded = await this.#load(source, descriptor, depth);
      found.set(descriptor.digest, { descriptor: loaded.descriptor, kind: "manifest" });
      this.#loaded.set(descriptor.digest, loaded);
      for (const child of childrenOf(loaded.parsed)) {
        if (await this.#leftOut(source, child)) continue;
        const kind = kindOfChild(loaded.parsed, child);
        if (kind === "manifest") await visit(child, depth + 1);
        else if (!found.has(child.digest)) found.set(child.digest, { descriptor: child, kind });
      }
    };
    await visit(root, 0);
    return [...found.values()];
  }

  /**
   * Works through items, some at a time, and waits for all that began, so that nothing goes on unseen after an error.
   * @throws the first error
   */
  async eachOf<T>(
    items: Iterable<T>,
    atOnce: number,
    work: (item: T) => Promise<void>,
    { alone = false }: { readonly alone?: boolean | undefined } = {},
  ): Promise<void> {
    try {
      await forEachConcurrent(items, atOnce, (item) => (alone ? work(item) : this.#cancelling(work(item))));
    } catch (error) {
      throw this.#firstCause(error);
    }
  }

  /** Work whose error ends everything else, where the first is enough. */
  async #cancelling<T>(work: Promise<T>): Promise<T> {
    try {
      return await work;
    } catch (error) {
      if (this.#failFast) this.#cancel.abort(error);
      throw error;
    }
  }

  /** When one error cancels the rest, others report "interrupted"; the one that began it is what the user needs. */
  #firstCause(error: unknown): unknown {
    return isDrayError(error, "ABORTED") && this.#cancel.signal.aborted ? this.#cancel.signal.reason : error;
  }

  /** Whether a target has it. Who may not even ask hears that it cannot be written there, which is what was wanted. */
  async #isThere(target: WritableStore, descriptor: Descriptor, kind: ContentKind): Promise<boolean> {
    try {
      return await this.#small(() => target.has(descriptor, this.#look(kind)));
    } catch (error) {
      if (!isDrayError(error, "UNAUTHORIZED", "DENIED")) throw error;
      throw restated(error, error.code, `cannot write ${this.#places.get(target)}: ${error.message}`);
    }
  }

  #look(kind: ContentKind): HasOptions {
    return { kind, signal: this.signal, thorough: this.#options.verify === true || this.#options.force === true };
  }

  async #isWhole(target: WritableStore, root: Descriptor): Promise<boolean> {
    return keepsReferenced(target) || this.#small(() => target.has(root, this.#look("manifest")));
  }

  /** Finds out whether a target is new, once, and where a name is not there yet. */
  async #learnNew(target: WritableStore, before: Descriptor | undefined): Promise<void> {
    if (!tellsNew(target)) return;
    if (before !== undefined) this.#new.set(target, Promise.resolve(false));
    else if (!this.#new.has(target))
      this.#new.set(
        target,
        this.#small(() => target.isNew({ signal: this.signal })),
      );
    await this.#new.get(target);
  }

  /** Moves a manifest with all below it. Tells whether it was also given `name`. */
  async #manifest(way: Way, descriptor: Descriptor, depth: number, name?: string): Promise<boolean> {
    way.seen.push(descriptor);
    let named = false;
    await this.#ledger.once(way.target, manifestKey(descriptor.digest), way.source, async () => {
      if (this.#options.skip?.(descriptor)) return;
      const isNew = await this.#new.get(way.target);
      // A copy that was cut off can have left something in what is new, but no root: that is asked while the manifest comes.
      const loading = isNew === true ? this.#load(way.source, descriptor, depth) : undefined;
      loading?.catch(() => {});
      const mayBeThere = this.#options.force !== true && (isNew !== true || depth > 0);
      const there = mayBeThere && (await this.#isThere(way.target, descriptor, "manifest"));
      if (there) this.#skipped(descriptor);
      if (there && this.#options.referrers !== true) return void (await loading?.catch(() => {}));
      const loaded = await (loading ?? this.#load(way.source, descriptor, depth));
      await this.#children(way, loaded, depth, there);
      if (there) return;
      named = await this.#writeManifest(way.target, loaded, name).catch(async (error: unknown) => {
        if (!lacksBlobs(error) || !(await this.#sendVouched(way, loaded))) throw error;
        return this.#writeManifest(way.target, loaded, name);
      });
    });
    return named;
  }

  async #children(way: Way, { parsed }: LoadedManifest, depth: number, manifestsOnly: boolean): Promise<void> {
    if (!manifestsOnly) {
      const blobs: Descriptor[] = [];
      for (const child of childrenOfKind(parsed, "blob"))
        if (!(await this.#leftOut(way.source, child))) blobs.push(child);
      if (parsed.kind === "schema1") blobs.push(...(await this.#schema1Blobs(way.source, parsed.blobs)));
      // The largest first: what begins last should be over soon.
      blobs.sort((a, b) => b.size - a.size);
      this.#plan(way.target, blobs);
      await this.eachOf(blobs, blobs.length, (blob) => this.#blob(way, blob), way);
    }
    const manifests = childrenOfKind(parsed, "manifest");
    const move = async (child: Descriptor): Promise<void> => {
      try {
        await this.#manifest(way, child, depth + 1);
      } catch (error) {
        throw isDrayError(error, "NOT_FOUND") && child.platform !== undefined
          ? ofPlatform(error, child.platform)
          : error;
      }
    };
    await this.eachOf(manifests, childrenAtOnce, move, way);
  }

  /** Sends blobs of which a look-up alone said that they are there. `false`: there are none. */
  async #sendVouched({ source, target }: Way, { parsed }: LoadedManifest): Promise<boolean> {
    const vouched = this.#vouched.get(target);
    const blobs = childrenOfKind(parsed, "blob").filter(({ digest }) => vouched?.delete(digest));
    await this.eachOf(blobs, blobs.length, async (blob) => {
      await this.#moveInTurn(source, target, blob);
      this.#counts.skipped--;
    });
    return blobs.length > 0;
  }

  async #schema1Blobs(source: ReadableStore, digests: readonly Digest[]): Promise<Descriptor[]> {
    const store = bottomOf(source);
    if (!describes(store)) throw new DrayError("UNSUPPORTED", "a schema 1 image can only be copied from a registry");
    return Promise.all(digests.map((digest) => this.#small(() => store.describe(digest, { signal: this.signal }))));
  }

  async #load(source: ReadableStore, descriptor: Descriptor, depth: number): Promise<LoadedManifest> {
    if (depth > deepest)
      throw new DrayError("LIMIT_EXCEEDED", `indexes nest deeper than ${deepest} levels at ${descriptor.digest}`);
    const known = this.#loaded.get(descriptor.digest);
    if (known !== undefined) this.#loaded.delete(descriptor.digest);
    const loaded = known ?? (await this.#small(() => loadManifest(source, descriptor, { signal: this.signal })));
    if (loaded.descriptor.size !== descriptor.size) this.#resized.set(descriptor.digest, loaded.descriptor);
    return loaded;
  }

  async #writeManifest(
    target: WritableStore,
    { descriptor, bytes, parsed }: LoadedManifest,
    name?: string,
  ): Promise<boolean> {
    const oneStep = name !== undefined && name !== "" && writesNamed(target);
    if (this.#options.dryRun !== true) {
      const options = { kind: "manifest" as const, parsed, signal: this.signal, onEvent: this.emit };
      const content = bytesContent(bytes);
      await this.#small(() =>
        oneStep ? target.writeNamed(descriptor, content, name, options) : target.write(descriptor, content, options),
      );
    }
    this.#counts.copied++;
    this.#counts.bytes += bytes.byteLength;
    return oneStep;
  }

  async #blob(way: Way, descriptor: Descriptor): Promise<void> {
    const { source, target } = way;
    await this.#ledger.once(target, blobKey(descriptor.digest), source, async () => {
      if (this.#options.skip?.(descriptor)) return;
      const mayBeThere = descriptor.size >= worthAsking || (await this.#new.get(target)) !== true;
      if (mayBeThere && (await this.#isThere(target, descriptor, "blob"))) this.#vouch(target, descriptor);
      else if (this.#options.dryRun === true) {
        if (this.#mayMount(way, descriptor)) this.#counts.mounted++;
        else this.#copied(descriptor);
      } else if (await this.#mount(way, descriptor)) {
        this.#counts.mounted++;
        this.emit({ type: "mounted", descriptor });
      } else await this.#moveInTurn(source, target, descriptor);
      this.#ledger.holdersOf(descriptor.digest).add(target);
    });
  }

  async #mount({ source, target }: Way, descriptor: Descriptor): Promise<boolean> {
    if (!mountsFrom(target)) return false;
    for (const holder of [bottomOf(source), ...this.#ledger.holdersOf(descriptor.digest)])
      if (await this.#small(() => target.mountFrom(descriptor, holder, { kind: "blob", signal: this.signal })))
        return true;
    return false;
  }

  /** Whether the target would be asked to mount it, as far as can be told without asking. */
  #mayMount({ source, target }: Way, descriptor: Descriptor): boolean {
    if (!mountsFrom(target)) return false;
    const holders = [bottomOf(source), ...this.#ledger.holdersOf(descriptor.digest)];
    return holders.some((holder) => target.mayMountFrom?.(descriptor, holder, { kind: "blob" }) === true);
  }

  /** Moves a blob when there is a slot for its body, and counts how it got there. */
  async #moveInTurn(source: ReadableStore, target: WritableStore, descriptor: Descriptor): Promise<void> {
    const moved = await this.#bodies.run(this.signal, descriptor.size, () => this.#move(source, target, descriptor));
    if (moved.mounted) this.#counts.mounted++;
    else {
      this.#copied(descriptor, moved.there);
      this.emit({ type: "done", descriptor });
    }
  }

  /** Tells how many bytes an earlier attempt had left there, and whether the target took it from elsewhere by itself. */
  async #move(source: ReadableStore, target: WritableStore, descriptor: Descriptor): Promise<Moved> {
    const verify = this.#options.verify === true || !checksDigests(target);
    let there: number | undefined;
    let mounted = false;
    const onEvent = (event: ProgressEvent): void => {
      const isOurs = "descriptor" in event && event.descriptor.digest === descriptor.digest;
      if (isOurs && event.type === "start") there = Math.min(there ?? event.offset, event.offset);
      if (isOurs && event.type === "mounted") mounted = true;
      this.emit(event);
    };
    const { signal } = this;
    const isLate = opensLate(target) && target.opensLate(descriptor);
    const ahead = isLate ? readAhead(source, descriptor, { kind: "blob", verify, onEvent, signal }) : undefined;
    try {
      const content = meteredContent(ahead?.source ?? source, descriptor, { verify, onEvent });
      await target.write(descriptor, content, { kind: "blob", signal, onEvent });
    } finally {
      await ahead?.release();
    }
    return { there: there ?? 0, mounted };
  }

  /** Referrers may name what they refer to as content, so they come after all content. Tells what of them could not be taken along. */
  async #attached(
    source: ReadableStore,
    target: WritableStore,
    root: Descriptor,
    seen: Descriptor[],
  ): Promise<DrayError | undefined> {
    if (seen.length === 0) await this.#children({ source, target, seen }, await this.#load(source, root, 0), 0, true);
    const faults: DrayError[] = [];
    await walkAttached(source, [root, ...seen], {
      signal: this.signal,
      take: async ({ descriptor, name }) => {
        const found: Descriptor[] = [];
        const named = await this.#manifest({ source, target, seen: found, alone: true }, descriptor, 0, name);
        if (name !== undefined && !named && this.#options.dryRun !== true)
          await this.#small(() => target.tag(descriptor, name, { signal: this.signal }));
        return found;
      },
      onFault: (what, error) => {
        faults.push(error);
        this.emit({ type: "warning", message: `${what}: ${error.message}` });
      },
    });
    const [first] = faults;
    if (first === undefined) return undefined;
    const message = `${root.digest} is copied, and of what refers to it ${faults.length} could not be: ${first.message}`;
    return new DrayError("PARTIAL", message, { reference: root.digest, cause: first });
  }

  #plan(target: object, blobs: readonly Descriptor[]): void {
    const fresh = this.#ledger.fresh(target, blobs);
    const bytes = fresh.reduce((sum, { size }) => sum + size, 0);
    if (fresh.length > 0) this.emit({ type: "plan", blobs: fresh.length, bytes });
  }

  /** Whether a layer stays where it lies by licence. Noted once, however many images are made of it. */
  async #leftOut(source: ReadableStore, descriptor: Descriptor): Promise<boolean> {
    const { foreignLayers = false } = this.#options;
    if (foreignLayers === true || !liesElsewhere(descriptor)) return false;
    const { digest } = descriptor;
    const known = this.#stays.get(digest);
    if (known !== undefined) return known;
    const { signal } = this;
    const stays =
      foreignLayers === false || (await this.#small(() => isHeld(bottomOf(source), descriptor, { signal }))) !== true;
    this.#stays.set(digest, stays);
    return stays;
  }

  #copied(descriptor: Descriptor, there = 0): void {
    this.#counts.copied++;
    this.#counts.bytes += descriptor.size - there;
    this.#counts.resumed += there;
  }

  #vouch(target: object, descriptor: Descriptor): void {
    this.#skipped(descriptor);
    const vouched = this.#vouched.get(target) ?? new Set();
    this.#vouched.set(target, vouched.add(descriptor.digest));
  }

  #skipped(descriptor: Descriptor): void {
    this.#counts.skipped++;
    this.emit({ type: "skipped", descriptor });
  }

  #small<T>(work: () => Promise<T>): Promise<T> {
    return this.#requests.run(this.signal, work);
  }
}

/** An index names what its source does not have: whoever wants the rest can say so. */
const ofPlatform = (error: DrayError, platform: Platform): DrayError =>
  restated(error, error.code, `${error.message}; the index names it for ${formatPlatform(platform)}`, {
    remedy: "choose-platform",
  });

/** How a blob got there. */
interface Moved {
  readonly there: number;
  readonly mounted: boolean;
}

/** Where from, where to, and the manifests met on the way, whose referrers may be wanted. */
interface Way {
  readonly source: ReadableStore;
  readonly target: WritableStore;
  readonly seen: Descriptor[];
  /** A failure is this one's own: nothing else ends. */
  readonly alone?: boolean;
}

/** What a target's name stands for now, where knowing that may save the work. */
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
